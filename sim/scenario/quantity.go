package scenario

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.starlark.net/starlark"

	"starling/internal/units"
)

// foreverWord is the duration that does not end.
const foreverWord = "forever"

// maxTime bounds every time of a script.
const maxTime = 10 * 365 * 24 * time.Hour

// size is bytes: a number, or text such as "64MiB".
type size int64

func (s *size) Unpack(v starlark.Value) error {
	n, err := readSize(v)
	*s = size(n)
	return err
}

func readSize(v starlark.Value) (int64, error) {
	switch v := v.(type) {
	case starlark.String:
		n, err := units.ParseBytes(string(v))
		return int64(n), err
	case starlark.Int:
		if n, ok := v.Int64(); ok && n >= 0 {
			return n, nil
		}
	case starlark.Float:
		if f := float64(v); f >= 0 && f < 1<<62 {
			return int64(f), nil
		}
	}
	return 0, fmt.Errorf("got %s, want a size such as \"64MiB\"", shown(v))
}

// rate is bytes a second above 0: a number, or text such as "10gbit" or
// "300MiB/s".
type rate float64

func (r *rate) Unpack(v starlark.Value) error {
	f, err := readRate(v)
	*r = rate(f)
	return err
}

func readRate(v starlark.Value) (float64, error) {
	if text, ok := v.(starlark.String); ok {
		n, err := units.ParseRate(string(text))
		if err == nil && n == 0 {
			err = errors.New("a rate of 0: leave it out for 10gbit")
		}
		return float64(n), err
	}
	if f, ok := starlark.AsFloat(v); ok && f >= 1 && f < 1e15 {
		return f, nil
	}
	return 0, fmt.Errorf("got %s, want a rate such as \"10gbit\" or \"300MiB/s\"", shown(v))
}

// span is a time since the beginning of the run, or how long something takes:
// seconds as a number, or text such as "1m30s".
type span time.Duration

func (s *span) Unpack(v starlark.Value) error {
	d, err := readSpan(v)
	*s = span(d)
	return err
}

func readSpan(v starlark.Value) (time.Duration, error) {
	var d time.Duration
	switch v := v.(type) {
	case starlark.String:
		var err error
		if d, err = time.ParseDuration(string(v)); err != nil {
			return 0, fmt.Errorf("got %s, want a time such as \"1m30s\" or a number of seconds", shown(v))
		}
	default:
		f, ok := starlark.AsFloat(v)
		if !ok || math.IsNaN(f) || math.Abs(f) > maxTime.Seconds() {
			return 0, fmt.Errorf("got %s, want a time such as \"1m30s\" or a number of seconds", shown(v))
		}
		d = time.Duration(math.Round(f * float64(time.Second)))
	}
	if d < 0 || d > maxTime {
		return 0, fmt.Errorf("%v is not within 0s and ten years", d)
	}
	return d, nil
}

// lasting is a span or forever, which is -1.
type lasting time.Duration

func (l *lasting) Unpack(v starlark.Value) error {
	if v == starlark.String(foreverWord) {
		*l = -1
		return nil
	}
	d, err := readSpan(v)
	*l = lasting(d)
	return err
}

// readShare reads a fraction.
func readShare(v starlark.Value) (float64, error) {
	if f, ok := starlark.AsFloat(v); ok && f >= 0 && f <= 1 {
		return f, nil
	}
	return 0, fmt.Errorf("got %s, want a share within 0 and 1", shown(v))
}

// share is a fraction within 0 and 1.
type share float64

func (s *share) Unpack(v starlark.Value) error {
	f, err := readShare(v)
	*s = share(f)
	return err
}

func readBool(v starlark.Value) (bool, error) {
	if b, ok := v.(starlark.Bool); ok {
		return bool(b), nil
	}
	return false, fmt.Errorf("got %s, want True or False", shown(v))
}

func readString(v starlark.Value) (string, error) {
	if s, ok := v.(starlark.String); ok {
		return string(s), nil
	}
	return "", fmt.Errorf("got %s, want text", shown(v))
}

// each is a property of a host: the same for all, or a function of the host's
// number, which counts from 0.
type each[T any] struct {
	read  func(starlark.Value) (T, error)
	given bool
	value T
	fn    starlark.Callable
}

// Unpack implements starlark.Unpacker. None leaves the property as it is.
func (e *each[T]) Unpack(v starlark.Value) (err error) {
	if v == starlark.None {
		return nil
	}
	e.given = true
	if fn, ok := v.(starlark.Callable); ok {
		e.fn = fn
		return nil
	}
	e.value, err = e.read(v)
	return err
}

// of is the property of host i.
func (e *each[T]) of(c *call, i int) (T, error) {
	if e.fn == nil {
		return e.value, nil
	}
	var none T
	v, err := starlark.Call(c.thread, e.fn, starlark.Tuple{starlark.MakeInt(i)}, nil)
	if err != nil || v == starlark.None {
		return none, err
	}
	return e.read(v)
}

// shown is a value as an error shows it.
func shown(v starlark.Value) string {
	text := v.String()
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return v.Type() + " " + text
}

func callSize(_ *script, c *call) (starlark.Value, error) {
	var s size
	err := c.unpack("size", &s)
	return starlark.MakeInt64(int64(s)), err
}

func callRate(_ *script, c *call) (starlark.Value, error) {
	var r rate
	err := c.unpack("rate", &r)
	return starlark.Float(r), err
}

func callSeconds(_ *script, c *call) (starlark.Value, error) {
	var s span
	err := c.unpack("time", &s)
	return starlark.Float(time.Duration(s).Seconds()), err
}
