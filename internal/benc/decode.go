package benc

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"

	"github.com/zeebo/bencode"
)

// Value is a field for Decode that takes a value of any kind as it is encoded,
// for whoever wants to be lenient about its type. It aliases nothing.
type Value = bencode.RawMessage

// Decode checks b as Scan does and then decodes it into what v points to, by
// the rules of zeebo/bencode: fields are matched by their `bencode:"key"` tags,
// keys without a field are ignored.
//
// Integer fields are int64, uint64 or bool: the decoder wraps a number that a
// smaller type cannot hold, and panics on a list that is longer than an array,
// so Decode refuses such targets whatever the input. []byte and string take
// strings. Meant for messages of some kilobytes.
func Decode(b []byte, lim Limits, v any) error {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer {
		return errors.New("benc: the target of Decode is not a pointer")
	}
	if err := checkTarget(t.Elem(), 0); err != nil {
		return err
	}
	if err := Scan(b, lim); err != nil {
		return err
	}
	if err := bencode.DecodeBytes(b, v); err != nil {
		return fmt.Errorf("bencode: %w", err)
	}
	return nil
}

var (
	unmarshaler     = reflect.TypeFor[bencode.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawMessage      = reflect.TypeFor[bencode.RawMessage]()
)

// checkTarget refuses the types into which the decoder stores wrongly. Below
// the depth at which only a recursive type can be, it has seen every type.
func checkTarget(t reflect.Type, depth int) error {
	if p := reflect.PointerTo(t); depth > 8 || t == rawMessage || p.Implements(unmarshaler) || p.Implements(textUnmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Int64, reflect.Uint64, reflect.Bool, reflect.String:
		return nil
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return nil
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil
		}
		return checkTarget(t.Elem(), depth+1)
	case reflect.Pointer, reflect.Map:
		return checkTarget(t.Elem(), depth+1)
	case reflect.Struct:
		for f := range t.Fields() {
			if !f.IsExported() {
				continue
			}
			if err := checkTarget(f.Type, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("benc: %v cannot be a target of Decode", t)
}
