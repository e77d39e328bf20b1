package benc

import (
	"bytes"
	"errors"
	"math/big"
	"strconv"
)

// The model is bencode the naive way: a recursive decoder that takes whatever
// it can make sense of, and an encoder. An input is canonical if decoding and
// encoding it gives it back.

type pair struct {
	key   string
	value any
}

type model struct {
	depth, tokens, digits int // the greatest seen
	sorted, unique        bool
}

var errModel = errors.New("not bencode")

// accepts reports whether Scan must accept b.
func (m *model) accepts(b []byte, lim Limits) bool {
	m.sorted, m.unique = true, true
	v, rest, err := m.decode(b, 0)
	return err == nil && len(rest) == 0 && bytes.Equal(m.encode(v), b) &&
		m.depth <= lim.Depth && m.tokens <= lim.Tokens && m.digits <= maxIntDigits &&
		m.unique && (m.sorted || lim.AnyKeyOrder)
}

func (m *model) decode(b []byte, depth int) (any, []byte, error) {
	m.tokens++
	if len(b) == 0 {
		return nil, nil, errModel
	}
	switch b[0] {
	case 'i':
		digits, rest, ok := bytes.Cut(b[1:], []byte("e"))
		n, okInt := new(big.Int).SetString(string(digits), 10)
		if !ok || !okInt {
			return nil, nil, errModel
		}
		m.digits = max(m.digits, len(bytes.TrimPrefix(digits, []byte("-"))))
		return n, rest, nil
	case 'l':
		m.depth = max(m.depth, depth+1)
		list := []any{}
		for b = b[1:]; len(b) > 0 && b[0] != 'e'; {
			v, rest, err := m.decode(b, depth+1)
			if err != nil {
				return nil, nil, err
			}
			list, b = append(list, v), rest
		}
		if len(b) == 0 {
			return nil, nil, errModel
		}
		return list, b[1:], nil
	case 'd':
		m.depth = max(m.depth, depth+1)
		return m.dict(b[1:], depth)
	}
	digits, rest, ok := bytes.Cut(b, []byte(":"))
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil || n < 0 || n > len(rest) {
		return nil, nil, errModel
	}
	return string(rest[:n]), rest[n:], nil
}

func (m *model) dict(b []byte, depth int) (any, []byte, error) {
	dict := []pair{}
	seen := map[string]bool{}
	for len(b) > 0 && b[0] != 'e' {
		k, rest, err := m.decode(b, depth+1)
		key, ok := k.(string)
		if err != nil || !ok {
			return nil, nil, errModel
		}
		m.unique = m.unique && !seen[key]
		m.sorted = m.sorted && (len(dict) == 0 || dict[len(dict)-1].key < key)
		seen[key] = true
		v, rest, err := m.decode(rest, depth+1)
		if err != nil {
			return nil, nil, err
		}
		dict, b = append(dict, pair{key, v}), rest
	}
	if len(b) == 0 {
		return nil, nil, errModel
	}
	return dict, b[1:], nil
}

func (m *model) encode(v any) []byte {
	var b []byte
	switch v := v.(type) {
	case *big.Int:
		return append(append([]byte{'i'}, v.String()...), 'e')
	case string:
		return AppendString(nil, v)
	case []any:
		b = []byte{'l'}
		for _, e := range v {
			b = append(b, m.encode(e)...)
		}
	case []pair:
		b = []byte{'d'}
		for _, p := range v {
			b = append(AppendString(b, p.key), m.encode(p.value)...)
		}
	}
	return append(b, 'e')
}
