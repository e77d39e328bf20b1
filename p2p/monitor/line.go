package monitor

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"starling/p2p"
)

const (
	// MaxLine is the longest line of a message log, in bytes: two names, each
	// byte escaped, and the rest.
	MaxLine = 2048
	// maxName is the longest name in a line once it is decoded: TapLog cuts
	// it at 128 bytes, of which each may have become a character of three.
	maxName = 3 * 128
	// maxLength is the longest data that a frame's header can say.
	maxLength = 1<<32 - 1
)

// Line is one line of a message log: a record, or the mark of records that are
// missing at its place.
type Line struct {
	// Lost, if not 0, is how many records are missing; Record is then empty.
	Lost   uint64
	Record p2p.TapRecord
}

// AppendJSON appends the line, newline included.
func (l *Line) AppendJSON(b []byte) []byte {
	if l.Lost > 0 {
		b = append(b, `{"lost":`...)
		b = strconv.AppendUint(b, l.Lost, 10)
		return append(b, '}', '\n')
	}
	return l.Record.AppendJSON(b)
}

// lineJSON is a line's form. Fields that are not here are passed over: a later
// version may have more.
type lineJSON struct {
	Time   time.Time `json:"time"`
	Dir    string    `json:"dir"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Type   string    `json:"type"`
	Length *int64    `json:"length"`
	Digest string    `json:"digest"`
	Lost   uint64    `json:"lost"`
}

var (
	errLine = errors.New("is no line of a message log")
	errLong = fmt.Errorf("is longer than %d bytes", MaxLine)
)

// ParseLine reads one line of a message log, with or without its newline. It may
// come from anybody. The error says what is wrong with it, without its text.
func ParseLine(b []byte) (Line, error) {
	if len(b) > MaxLine {
		return Line{}, errLong
	}
	var j lineJSON
	if json.Unmarshal(b, &j) != nil {
		return Line{}, errLine
	}
	if j.Lost > 0 {
		if j.Type != "" {
			return Line{}, errLine
		}
		return Line{Lost: j.Lost}, nil
	}
	r := p2p.TapRecord{Time: j.Time, From: j.From, To: j.To}
	switch j.Dir {
	case p2p.Sent.String():
		r.Dir = p2p.Sent
	case p2p.Received.String():
		r.Dir = p2p.Received
	default:
		return Line{}, fmt.Errorf("has direction %.8q", j.Dir)
	}
	typ, ok := ParseType(j.Type)
	if !ok {
		return Line{}, fmt.Errorf("has type %.8q", j.Type)
	}
	r.Type = typ
	if len(r.From) > maxName || len(r.To) > maxName {
		return Line{}, errors.New("has a name that is too long")
	}
	if j.Length == nil || *j.Length < 0 || *j.Length > maxLength {
		return Line{}, errors.New("has no length of a message")
	}
	r.Length = int(*j.Length)
	var digest [4]byte
	if len(j.Digest) != 8 {
		return Line{}, errors.New("has no digest of 8 digits")
	}
	if _, err := hex.Decode(digest[:], []byte(j.Digest)); err != nil {
		return Line{}, errors.New("has no digest of 8 digits")
	}
	r.Digest = uint32(digest[0])<<24 | uint32(digest[1])<<16 | uint32(digest[2])<<8 | uint32(digest[3])
	// A time zone may take a year out of the four digits that it is written in.
	if y := r.Time.UTC().Year(); r.Time.IsZero() || y < 0 || y > 9999 {
		return Line{}, errors.New("has no time")
	}
	return Line{Record: r}, nil
}

// ParseType reads the name of a message type: four printable ASCII characters.
// Small letters count as capitals, as on the wire.
func ParseType(s string) (p2p.Type, bool) {
	if len(s) != 4 {
		return 0, false
	}
	b := []byte(s)
	for i, c := range b {
		switch {
		case c < ' ' || c > '~':
			return 0, false
		case 'a' <= c && c <= 'z':
			b[i] = c - 'a' + 'A'
		}
	}
	return p2p.T(string(b)), true
}
