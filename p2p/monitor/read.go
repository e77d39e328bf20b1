package monitor

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"starling/p2p"
)

// logReader reads the records of one log.
type logReader struct {
	name  string
	in    *bufio.Reader // its buffer is longer than any line
	sum   Side
	ended bool
}

// next reads up to the next record and says in which line it is; ok is false at
// the end, and where a mark of lost records was read instead.
func (l *logReader) next() (r p2p.TapRecord, line uint64, ok bool, err error) {
	text, err := l.in.ReadSlice('\n')
	switch {
	case err == nil, errors.Is(err, bufio.ErrBufferFull): // which ParseLine refuses
	case errors.Is(err, io.EOF):
		l.ended = true
		if len(text) == 0 {
			return r, 0, false, nil
		}
	default:
		return r, 0, false, fmt.Errorf("log %s: %w", l.name, err)
	}
	l.sum.Lines++
	parsed, err := ParseLine(text)
	switch {
	case err != nil && l.ended:
		l.sum.CutOff = true
		return r, 0, false, nil
	case err != nil:
		return r, 0, false, fmt.Errorf("log %s: line %d %w", l.name, l.sum.Lines, err)
	case parsed.Lost > 0:
		l.sum.Lost += parsed.Lost
		return r, 0, false, nil
	}
	return parsed.Record, l.sum.Lines, true, nil
}
