package scenario

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.starlark.net/starlark"
)

// list is an argument that is any sequence, as a slice of its own.
type list []starlark.Value

func (l *list) Unpack(v starlark.Value) error {
	it, ok := v.(starlark.Sequence)
	if !ok {
		return fmt.Errorf("got %s, want a list", v.Type())
	}
	*l = slices.Collect(starlark.Elements(it))
	return nil
}

func (s *script) mix(l list) {
	s.rng.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
}

// callSample returns k different elements of a list, in the order that the list
// has them.
func callSample(s *script, c *call) (starlark.Value, error) {
	var (
		from list
		k    int
	)
	if err := c.unpack("list", &from, "k", &k); err != nil {
		return nil, err
	}
	if k < 0 || k > len(from) {
		return nil, fmt.Errorf("sample: %d of %d", k, len(from))
	}
	chosen := s.rng.Perm(len(from))[:k]
	slices.Sort(chosen)
	out := make([]starlark.Value, k)
	for i, at := range chosen {
		out[i] = from[at]
	}
	return starlark.NewList(out), nil
}

// callShuffle returns the elements of a list in another order.
func callShuffle(s *script, c *call) (starlark.Value, error) {
	var of list
	if err := c.unpack("list", &of); err != nil {
		return nil, err
	}
	s.mix(of)
	return starlark.NewList(of), nil
}

// callUniform returns a number within low and high; a whole one if both are.
func callUniform(s *script, c *call) (starlark.Value, error) {
	var low, high starlark.Value
	if err := c.unpack("low", &low, "high", &high); err != nil {
		return nil, err
	}
	if a, ok := low.(starlark.Int); ok {
		if b, ok := high.(starlark.Int); ok {
			return s.whole(a, b)
		}
	}
	a, err := amount(low)
	if err != nil {
		return nil, fmt.Errorf("uniform: %w", err)
	}
	b, err := amount(high)
	if err != nil {
		return nil, fmt.Errorf("uniform: %w", err)
	}
	if b < a {
		return nil, fmt.Errorf("uniform: %v is above %v", a, b)
	}
	return starlark.Float(fine(a + s.rng.Float64()*(b-a))), nil
}

// whole draws a whole number of low..high, both included.
func (s *script) whole(low, high starlark.Int) (starlark.Value, error) {
	a, fitsA := low.Int64()
	b, fitsB := high.Int64()
	if !fitsA || !fitsB || b < a || b-a < 0 || b-a == math.MaxInt64 {
		return nil, fmt.Errorf("uniform: no whole number within %v and %v", low, high)
	}
	return starlark.MakeInt64(a + s.rng.Int64N(b-a+1)), nil
}

// callExponential draws from the exponential distribution with a mean: the times
// between arrivals that come independently.
func callExponential(s *script, c *call) (starlark.Value, error) {
	var mean starlark.Value
	if err := c.unpack("mean", &mean); err != nil {
		return nil, err
	}
	m, err := amount(mean)
	if err != nil || m < 0 {
		return nil, fmt.Errorf("exponential: got %s, want a mean of at least 0", shown(mean))
	}
	return starlark.Float(fine(s.rng.ExpFloat64() * m)), nil
}

// callChance is True with a probability.
func callChance(s *script, c *call) (starlark.Value, error) {
	var p share
	if err := c.unpack("p", &p); err != nil {
		return nil, err
	}
	return starlark.Bool(s.rng.Float64() < float64(p)), nil
}

// amount is a number, or a time in seconds.
func amount(v starlark.Value) (float64, error) {
	if f, ok := starlark.AsFloat(v); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f, nil
	}
	d, err := readSpan(v)
	return d.Seconds(), err
}

// fine drops what a processor's way of rounding could change: the script is to
// describe the same run on every machine.
func fine(f float64) float64 {
	if math.Abs(f) > 1e9 {
		return math.Round(f)
	}
	return math.Round(f*float64(time.Second/time.Microsecond)) / float64(time.Second/time.Microsecond)
}

// callSum adds numbers up.
func callSum(_ *script, c *call) (starlark.Value, error) {
	var of list
	if err := c.unpack("numbers", &of); err != nil {
		return nil, err
	}
	total, exact := 0.0, true
	whole := starlark.MakeInt(0)
	for _, v := range of {
		f, ok := starlark.AsFloat(v)
		if !ok {
			return nil, fmt.Errorf("sum: got %s, want numbers", shown(v))
		}
		total += f
		if n, ok := v.(starlark.Int); ok {
			whole = whole.Add(n)
		} else {
			exact = false
		}
	}
	if exact {
		return whole, nil
	}
	return starlark.Float(total), nil
}
