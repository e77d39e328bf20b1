package benc

import (
	"bytes"
	"fmt"
)

// SyntaxError says where and why an input is not acceptable bencode.
type SyntaxError struct {
	// Offset is the position in bytes of the offending token.
	Offset int
	// Why is one clause, without input bytes in it.
	Why string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("bencode: at byte %d: %s", e.Offset, e.Why)
}

// The reasons that more than one place gives.
const (
	whyTruncated = "the input ends inside a value"
	whyNotString = "a string was expected"
)

// Scan checks that b is exactly one canonical bencode value inside lim: no
// integer or length is written in a longer way than needed, no length passes
// the end of b, the keys of a dictionary ascend, and no byte follows. The error
// is a *SyntaxError. Scan does not recurse, and allocates only for an error.
func Scan(b []byte, lim Limits) error {
	n, err := ScanPrefix(b, lim)
	if err != nil {
		return err
	}
	if n != len(b) {
		return &SyntaxError{n, "bytes follow the value"}
	}
	return nil
}

// ScanPrefix is Scan for a value that other bytes follow, such as the header of
// a BEP 9 data message. It returns the length of the value.
func ScanPrefix(b []byte, lim Limits) (int, error) {
	s := scanner{b: b, lim: lim}
	s.lim.Depth = min(lim.Depth, maxDepth)
	for {
		if why := s.step(); why != "" {
			return 0, &SyntaxError{s.i, why}
		}
		if s.depth == 0 {
			return s.i, nil
		}
	}
}

// frame is one open container.
type frame struct {
	// body is the offset of a dictionary's first key, 0 for a list. (No
	// body begins at 0: the container's own letter is before it.)
	body int
	// keyFrom and keyTo delimit the greatest key so far; keyTo is 0 while
	// there is none.
	keyFrom, keyTo int
}

type scanner struct {
	b      []byte
	lim    Limits
	i      int // the next token begins here
	tokens int
	depth  int
	// inPair says that a key has been read and its value has not.
	inPair bool
	stack  [maxDepth]frame
}

// step consumes one token. It returns the reason if it cannot, and then leaves
// i at the token.
func (s *scanner) step() string {
	if s.i >= len(s.b) {
		return whyTruncated
	}
	c := s.b[s.i]
	if c == 'e' {
		return s.pop()
	}
	if s.tokens++; s.tokens > s.lim.Tokens {
		return "too many values"
	}
	if s.depth > 0 && s.stack[s.depth-1].body > 0 && !s.inPair {
		return s.key()
	}
	s.inPair = false
	var end int
	var why string
	switch {
	case c == 'l' || c == 'd':
		return s.push(c == 'd')
	case c == 'i':
		end, why = intEnd(s.b, s.i)
	default:
		_, end, why = stringAt(s.b, s.i)
	}
	if why == "" {
		s.i = end
	}
	return why
}

func (s *scanner) push(dict bool) string {
	if s.depth >= s.lim.Depth {
		return "nested too deeply"
	}
	s.i++
	f := frame{}
	if dict {
		f.body = s.i
	}
	s.stack[s.depth] = f
	s.depth++
	return ""
}

func (s *scanner) pop() string {
	if s.depth == 0 {
		return "an end without a beginning"
	}
	if s.inPair {
		return "a key without a value"
	}
	s.depth--
	s.i++
	return ""
}

// key consumes a dictionary's key and checks it against those before it.
func (s *scanner) key() string {
	from, to, why := stringAt(s.b, s.i)
	if why != "" {
		return why
	}
	f := &s.stack[s.depth-1]
	order := 1
	if f.keyTo > 0 {
		order = bytes.Compare(s.b[from:to], s.b[f.keyFrom:f.keyTo])
	}
	switch {
	case order > 0:
		f.keyFrom, f.keyTo = from, to
	case order == 0:
		return "a key comes twice"
	case !s.lim.AnyKeyOrder:
		return "the keys of a dictionary are not sorted"
	case s.seen(f.body, s.b[from:to]):
		return "a key comes twice"
	}
	s.i = to
	s.inPair = true
	return ""
}

// seen reports whether key is among the keys between body and the scanner's
// position, all of them scanned before.
func (s *scanner) seen(body int, key []byte) bool {
	for i := body; i < s.i; {
		from, to, _ := stringAt(s.b, i)
		if bytes.Equal(s.b[from:to], key) {
			return true
		}
		i = skip(s.b, to)
	}
	return false
}
