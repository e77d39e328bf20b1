package p2p

import (
	"encoding/hex"
	"hash/crc32"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// Tap sees each message that passes a Node. It runs on the protocol's
// goroutine and must not block.
type Tap func(TapRecord)

// Dir says on which end of a message a Tap stood.
type Dir uint8

const (
	// Sent is seen by the sender, when the message enters the outbox.
	Sent Dir = iota
	// Received is seen by the receiver, before its handler.
	Received
)

// String returns "send" or "recv".
func (d Dir) String() string {
	if d == Received {
		return "recv"
	}
	return "send"
}

// TapRecord describes one message. From and To are peer ids where they are
// known and addresses otherwise; the end that Dir names always has its id. A
// message in an envelope is seen as the MSID frame that carries it.
//
// A message that both ends log is in both logs, with From, To, Type, Length and
// Digest alike, and in the order of the connection: so a sender's records and
// the receiver's pair up.
type TapRecord struct {
	Time     time.Time
	Dir      Dir
	From, To string
	Type     Type
	Length   int    // of the data, without the header, in bytes
	Digest   uint32 // see Digest
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Digest is the CRC-32C of a message's Head. The bytes of a Body do not count: a
// simulated one has none. Both ends see one digest where the sender cuts head and
// body as the receiver's Spec does.
func Digest(m *Message) uint32 { return crc32.Checksum(m.Head, castagnoli) }

// TapLog writes TapRecords as JSON, one a line:
//
//	{"time":"2026-01-02T03:04:05.000000006Z","dir":"send","from":"a:1","to":"b:1","type":"NAME","length":0,"digest":"00000000"}
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
	l.buf = r.AppendJSON(l.buf[:0])
	_, l.err = l.w.Write(l.buf)
}

// Err is the error that ended the log, nil if none has.
func (l *TapLog) Err() error { return l.err }

// AppendJSON appends the record as a TapLog writes it, newline included.
func (r *TapRecord) AppendJSON(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","dir":"`...)
	b = append(b, r.Dir.String()...)
	b = append(b, `","from":`...)
	b = appendJSON(b, r.From)
	b = append(b, `,"to":`...)
	b = appendJSON(b, r.To)
	b = append(b, `,"type":`...)
	b = appendJSON(b, r.Type.String())
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, int64(r.Length), 10)
	b = append(b, `,"digest":"`...)
	d := r.Digest
	b = hex.AppendEncode(b, []byte{byte(d >> 24), byte(d >> 16), byte(d >> 8), byte(d)})
	return append(b, '"', '}', '\n')
}

// appendJSON appends s as a JSON string of ASCII only: a name may come from the
// network, and a log is read in terminals.
func appendJSON(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
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
			b = append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		}
	}
	return append(b, '"')
}
