package p2p

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// Tap sees each message that passes a Node. It runs on the protocol's
// goroutine and must not block.
type Tap func(TapRecord)

// TapRecord describes one message. From and To are peer ids where they are
// known and addresses otherwise. A message in an envelope is seen as the MSID
// frame that carries it.
type TapRecord struct {
	Time     time.Time
	From, To string
	Type     Type
	Length   int // of the data, without the header, in bytes
}

// TapLog writes TapRecords as JSON, one a line:
//
//	{"time":"2026-01-02T03:04:05.000000006Z","from":"a:1","to":"b:1","type":"NAME","length":0}
//
// Its Record method is a Tap. Names longer than 128 bytes are cut, so a line has
// an end. Give it a writer that buffers, for a Tap must not block.
type TapLog struct {
	w   io.Writer
	buf []byte
	err error
}

const maxTapName = 128

// NewTapLog returns a log on w.
func NewTapLog(w io.Writer) *TapLog { return &TapLog{w: w} }

// Record writes one line. After the first error it does nothing.
func (l *TapLog) Record(r TapRecord) {
	if l.err != nil {
		return
	}
	b := append(l.buf[:0], `{"time":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","from":`...)
	b = appendJSON(b, r.From)
	b = append(b, `,"to":`...)
	b = appendJSON(b, r.To)
	b = append(b, `,"type":`...)
	b = appendJSON(b, r.Type.String())
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, int64(r.Length), 10)
	b = append(b, '}', '\n')
	l.buf = b
	_, l.err = l.w.Write(b)
}

// Err is the error that ended the log, nil if none has.
func (l *TapLog) Err() error { return l.err }

// appendJSON appends s as a JSON string of ASCII only: a name may come from the
// network, and a log is read in terminals.
func appendJSON(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s[:min(len(s), maxTapName)] {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case ' ' <= r && r <= '~':
			b = append(b, byte(r))
		default:
			if r > 0xffff {
				r = utf8.RuneError
			}
			b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	return append(b, '"')
}
