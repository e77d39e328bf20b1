package mse

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// Bounds of a handshake of either side, in bytes: what it may read, its buffer
// included, and what it may say.
const (
	mostRead = keySize + maxPad + 20 + 20 + vcSize + 4 + 2 + maxPad + 2 + inputSize
	mostSaid = keySize + maxPad + 20 + 20 + vcSize + 4 + 2 + maxPad + 2 + 68
)

// outcome is what a side shall make of what it hears: nothing where ok is not
// set.
type outcome struct {
	ok      bool
	method  Method
	payload []byte
}

// ofRequest says what a listener shall make of what a dialer has enciphered.
func ofRequest(plain, secret []byte, p Policy) (o outcome) {
	if len(plain) < vcSize+4+2 || !bytes.Equal(plain[:vcSize], make([]byte, vcSize)) {
		return o
	}
	offered := binary.BigEndian.Uint32(plain[vcSize:])
	switch hasPlain, hasRC4 := offered&1 != 0, offered&2 != 0; {
	case hasRC4 && (p != PreferPlaintext || !hasPlain):
		o.method = RC4
	case hasPlain && p != RequireRC4:
		o.method = Plaintext
	default:
		return o
	}
	padC := int(binary.BigEndian.Uint16(plain[vcSize+4:]))
	head := vcSize + 4 + 2 + padC + 2
	if padC > maxPad || len(plain) < head {
		return o
	}
	ia := int(binary.BigEndian.Uint16(plain[head-2:]))
	left := len(plain) - head
	if ia > left && ia <= inputSize {
		return o
	}
	o.ok = true
	o.payload = plain[head:]
	if o.method == Plaintext {
		ia = min(ia, left)
		o.payload = append(bytes.Clone(plain[head:head+ia]), secret[head+ia:]...)
	}
	return o
}

// ofAnswer says what a dialer shall make of what a listener has enciphered.
func ofAnswer(plain, secret []byte, p Policy) (o outcome) {
	if len(plain) < vcSize+4+2 || !bytes.Equal(plain[:vcSize], make([]byte, vcSize)) {
		return o
	}
	o.method = Method(binary.BigEndian.Uint32(plain[vcSize:]))
	padD := int(binary.BigEndian.Uint16(plain[vcSize+4:]))
	head := vcSize + 4 + 2 + padD
	known := o.method == RC4 || o.method == Plaintext && p != RequireRC4
	if !known || padD > maxPad || len(plain) < head {
		return o
	}
	o.ok = true
	o.payload = secret[head:]
	if o.method == RC4 {
		o.payload = plain[head:]
	}
	return o
}

// judge checks the end of a handshake and reads its payload.
func judge(t *testing.T, conn *script, c *Conn, err error, want *outcome) {
	t.Helper()
	if (c == nil) == (err == nil) {
		t.Fatalf("%v and %v", c, err)
	}
	if conn.read > mostRead || len(conn.out) > mostSaid {
		t.Fatalf("read %d bytes and said %d", conn.read, len(conn.out))
	}
	if want != nil && want.ok != (err == nil) {
		t.Fatalf("%v, but %v is right", err, want.ok)
	}
	if err != nil {
		return
	}
	payload, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if want != nil && (c.Method() != want.method || !bytes.Equal(payload, want.payload)) {
		t.Fatalf("%v, %.60q of %d bytes, want %v, %.60q of %d bytes", c.Method(), payload, len(payload),
			want.method, want.payload, len(want.payload))
	}
}

// FuzzServer lets a dialer say anything: as it is, or, where hidden is set,
// enciphered as a dialer would that knows the torrent, behind a pad.
func FuzzServer(f *testing.F) {
	fromClient, _ := transcripts(f, ClientOptions{IA: []byte("ia")}, ServerOptions{}, fixed(1, 30, 3), fixed(2, 3, 30))
	f.Add(fromClient, false, uint16(0), uint8(0), uint8(0))
	f.Add(fromClient[:keySize+30+20+5], false, uint16(0), uint8(1), uint8(13))
	f.Add(append(request(3, 5, 3), "more"...), true, uint16(512), uint8(1), uint8(0))
	f.Add(request(2, maxPad+1, 0), true, uint16(513), uint8(2), uint8(0))
	f.Add(append(request(1, 0, 0)[:vcSize+4+2], "\xff\xffIA"...), true, uint16(1), uint8(1), uint8(7))
	f.Fuzz(func(t *testing.T, b []byte, hidden bool, padA uint16, policy, chunk uint8) {
		p := Policy(policy % 3)
		heard, want := b, (*outcome)(nil)
		if hidden {
			padA %= maxPad + 2
			heard = asDialer(t, testSKEY, b)
			o := ofRequest(b, heard[len(heard)-len(b):], p)
			if padA > maxPad {
				o.ok = false
			}
			heard, want = pad(heard, int(padA)), &o
		}
		conn := &script{in: heard, chunk: int(chunk)}
		c, err := server(conn, knows(testSKEY), ServerOptions{Policy: p}, fixed(2, 5, 5))
		judge(t, conn, c, err, want)
	})
}

// FuzzClient is the same for what a listener says.
func FuzzClient(f *testing.F) {
	_, fromServer := transcripts(f, ClientOptions{IA: []byte("ia")}, ServerOptions{}, fixed(1, 5, 5), fixed(2, 3, 30))
	f.Add(fromServer, false, uint16(0), uint8(0), uint8(0))
	f.Add(fromServer[:keySize+10], false, uint16(0), uint8(1), uint8(13))
	f.Add(append(answer(2, 5), "payload"...), true, uint16(512), uint8(0), uint8(0))
	f.Add(append(answer(1, 512), "payload"...), true, uint16(3), uint8(1), uint8(5))
	f.Add(answer(1, 0), true, uint16(513), uint8(2), uint8(0))
	f.Add(answer(3, 513), true, uint16(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, hidden bool, padB uint16, policy, chunk uint8) {
		p := Policy(policy % 3)
		heard, want := b, (*outcome)(nil)
		if hidden {
			padB %= maxPad + 2
			heard = asListener(t, testSKEY, b)
			o := ofAnswer(b, heard[keySize:], p)
			if padB > maxPad {
				o.ok = false
			}
			heard, want = pad(heard, int(padB)), &o
		}
		conn := &script{in: heard, chunk: int(chunk)}
		c, err := client(conn, testSKEY, ClientOptions{Policy: p, IA: []byte("ia")}, fixed(1, 5, 5))
		judge(t, conn, c, err, want)
	})
}
