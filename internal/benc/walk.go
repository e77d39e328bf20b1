package benc

import (
	"iter"
	"strconv"
)

// The functions here read encoded bytes in place, and what they return aliases
// them. They expect bytes that Scan has accepted; on others they are safe, but
// stop in silence at the first fault.

// Raw returns the encoded value of key in the dictionary b, and whether it is
// there.
func Raw(b []byte, key string) ([]byte, bool) {
	for k, v := range Dict(b) {
		if string(k) == key {
			return v, true
		}
	}
	return nil, false
}

// Dict ranges over the keys (decoded) and values (encoded) of the dictionary b,
// in the order in which they are written. There are none if b is no dictionary.
func Dict(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if !IsDict(b) {
			return
		}
		for i := 1; i < len(b) && b[i] != 'e'; {
			from, to, why := stringAt(b, i)
			if why != "" {
				return
			}
			if i = skip(b, to); i < 0 || !yield(b[from:to], b[to:i]) {
				return
			}
		}
	}
}

// List ranges over the encoded values of the list b. There are none if b is no
// list.
func List(b []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		if !IsList(b) {
			return
		}
		for i := 1; i < len(b) && b[i] != 'e'; {
			from := i
			if i = skip(b, from); i < 0 || !yield(b[from:i]) {
				return
			}
		}
	}
}

// IsDict reports whether the encoded value b is a dictionary.
func IsDict(b []byte) bool { return len(b) > 0 && b[0] == 'd' }

// IsList reports whether the encoded value b is a list.
func IsList(b []byte) bool { return len(b) > 0 && b[0] == 'l' }

// Bytes returns the content of the encoded string b; false if b is not a
// string.
func Bytes(b []byte) ([]byte, bool) {
	from, to, why := stringAt(b, 0)
	if why != "" || to != len(b) {
		return nil, false
	}
	return b[from:to], true
}

// Int returns the encoded integer b; false if b is not an integer or does not
// fit.
func Int(b []byte) (int64, bool) {
	if len(b) == 0 || b[0] != 'i' {
		return 0, false
	}
	if end, why := intEnd(b, 0); why != "" || end != len(b) {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b[1:len(b)-1]), 10, 64)
	return n, err == nil
}
