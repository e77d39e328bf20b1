package mse

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"starling/p2p"
)

func TestPolicies(t *testing.T) {
	names := []string{"prefer rc4", "prefer plaintext", "require rc4"}
	for dialer := range Policy(3) {
		for listener := range Policy(3) {
			for _, ia := range []string{"", strings.Repeat("0123456789abcdef.", 4)} {
				t.Run(fmt.Sprintf("%s to %s, ia %d", names[dialer], names[listener], len(ia)), func(t *testing.T) {
					want := RC4
					if listener == PreferPlaintext && dialer != RequireRC4 {
						want = Plaintext
					}
					a, b := pipe(t)
					c, s := shake(t, a, b, ClientOptions{Policy: dialer, IA: []byte(ia)},
						ServerOptions{Policy: listener}, draw(), draw())
					if c.Method() != want || s.Method() != want {
						t.Errorf("methods %v and %v, want %v", c.Method(), s.Method(), want)
					}
					if c.SKEY() != testSKEY || s.SKEY() != testSKEY {
						t.Errorf("torrents %q and %q", c.SKEY(), s.SKEY())
					}
					got := make([]byte, len(ia))
					if _, err := io.ReadFull(s, got); err != nil || string(got) != ia {
						t.Errorf("IA %q: %v", got, err)
					}
					say(t, s, c, "the listener speaks first")
					say(t, c, s, "and the dialer answers")
					say(t, c, s, strings.Repeat("at length ", 10_000))
					say(t, s, c, strings.Repeat("and so on ", 10_000))
				})
			}
		}
	}
}

// Pads of every length, in all four places.
func TestPadLengths(t *testing.T) {
	for n := range maxPad + 1 {
		a, b := pipe(t)
		c, s := shake(t, a, b, ClientOptions{IA: []byte("ia")}, ServerOptions{},
			fixed(1, n, maxPad-n), fixed(2, maxPad-n, n))
		got := make([]byte, 2)
		if _, err := io.ReadFull(s, got); err != nil || string(got) != "ia" {
			t.Fatalf("pad %d: IA %q: %v", n, got, err)
		}
		say(t, c, s, "here")
		say(t, s, c, "there")
		if t.Failed() {
			t.Fatalf("pads of %d bytes", n)
		}
	}
}

func TestPadsTooLong(t *testing.T) {
	good, long := fixed(1, 3, 3), func() *chance { return fixed(2, maxPad+1, 0) }
	fromClient, _ := transcripts(t, ClientOptions{}, ServerOptions{}, fixed(1, 3, 3), fixed(2, 3, 3))
	_, err := server(&script{in: pad(fromClient, maxPad+1-3)}, knows(testSKEY), ServerOptions{}, fixed(2, 3, 3))
	expect(t, err, p2p.ReasonHandshake, nil)
	if !strings.Contains(err.Error(), "no mark after a pad of 512 bytes") {
		t.Errorf("PadA of 513 bytes: %v", err)
	}

	a, b := pipe(t)
	go func() {
		// The listener ends in an error too: the dialer leaves.
		_, _ = server(b, knows(testSKEY), ServerOptions{}, long())
	}()
	_, err = client(a, testSKEY, ClientOptions{}, good)
	expect(t, err, p2p.ReasonHandshake, nil)
	if !strings.Contains(err.Error(), "no mark after a pad of 512 bytes") {
		t.Errorf("PadB of 513 bytes: %v", err)
	}

	for name, err := range map[string]error{
		"PadC": requested(t, request(3, maxPad+1, 0)),
		"PadD": answered(t, ClientOptions{}, answer(2, maxPad+1)),
	} {
		expect(t, err, p2p.ReasonHandshake, nil)
		if !strings.Contains(err.Error(), "a pad of 513 bytes, at most 512") {
			t.Errorf("%s of 513 bytes: %v", name, err)
		}
	}
}

// pad lengthens the PadA of a transcript by n bytes.
func pad(transcript []byte, n int) []byte {
	b := append([]byte(nil), transcript[:keySize]...)
	b = append(b, make([]byte, n)...)
	return append(b, transcript[keySize:]...)
}

// request is what a dialer enciphers.
func request(provide uint32, padC, ia int) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, vcSize), provide)
	b = binary.BigEndian.AppendUint16(b, uint16(padC))
	b = append(b, make([]byte, padC)...)
	b = binary.BigEndian.AppendUint16(b, uint16(ia))
	return append(b, make([]byte, ia)...)
}

// answer is what a listener enciphers.
func answer(selected uint32, padD int) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, vcSize), selected)
	b = binary.BigEndian.AppendUint16(b, uint16(padD))
	return append(b, make([]byte, padD)...)
}

// asDialer returns what a dialer with fixed(1, 0, 0) says to a listener with
// fixed(2, ...), where request is what it enciphers.
func asDialer(t testing.TB, skey [20]byte, request []byte) []byte {
	t.Helper()
	mine, theirs := fixed(1, 0, 0), fixed(2, 0, 0)
	ya, yb := mine.public(), theirs.public()
	s, err := mine.secret(yb[:])
	if err != nil {
		t.Fatal(err)
	}
	send, _, err := ciphers(&s, &skey)
	if err != nil {
		t.Fatal(err)
	}
	req1, torrent := hash("req1", s[:]), mask(IndexKey(skey), &s)
	b := append(append(ya[:], req1[:]...), torrent[:]...)
	begin := len(b)
	b = append(b, request...)
	send.XORKeyStream(b[begin:], b[begin:])
	return b
}

// asListener returns what a listener with fixed(2, 0, 0) says to a dialer with
// fixed(1, ...), where answer is what it enciphers.
func asListener(t testing.TB, skey [20]byte, answer []byte) []byte {
	t.Helper()
	mine, theirs := fixed(2, 0, 0), fixed(1, 0, 0)
	yb, ya := mine.public(), theirs.public()
	s, err := mine.secret(ya[:])
	if err != nil {
		t.Fatal(err)
	}
	_, send, err := ciphers(&s, &skey)
	if err != nil {
		t.Fatal(err)
	}
	b := append(yb[:], answer...)
	send.XORKeyStream(b[keySize:], b[keySize:])
	return b
}

// requested is a listener's error after a request.
func requested(t *testing.T, request []byte) error {
	t.Helper()
	_, err := server(&script{in: asDialer(t, testSKEY, request)}, knows(testSKEY),
		ServerOptions{Policy: RequireRC4}, fixed(2, 7, 7))
	return err
}

// answered is a dialer's error after an answer.
func answered(t *testing.T, opts ClientOptions, answer []byte) error {
	t.Helper()
	_, err := client(&script{in: asListener(t, testSKEY, answer)}, testSKEY, opts, fixed(1, 7, 7))
	return err
}

func TestMethods(t *testing.T) {
	const unknownBits = 0xfffffffc
	for _, provide := range []uint32{0, 1, unknownBits, unknownBits | 1} {
		expect(t, requested(t, request(provide, 0, 0)), p2p.ReasonHandshake, nil)
	}
	for _, provide := range []uint32{2, 3, unknownBits | 3} {
		if err := requested(t, request(provide, 0, 0)); err != nil {
			t.Errorf("%#x provided: %v", provide, err)
		}
	}
	both, rc4 := ClientOptions{}, ClientOptions{Policy: RequireRC4}
	for _, selected := range []uint32{0, 3, 4, unknownBits, unknownBits | 1, unknownBits | 2} {
		expect(t, answered(t, both, answer(selected, 0)), p2p.ReasonHandshake, nil)
	}
	expect(t, answered(t, rc4, answer(1, 0)), p2p.ReasonHandshake, nil)
	if err := answered(t, both, answer(1, 5)); err != nil {
		t.Errorf("plaintext selected: %v", err)
	}
	if err := answered(t, rc4, answer(2, 5)); err != nil {
		t.Errorf("RC4 selected: %v", err)
	}
	if s := fmt.Sprint(Plaintext, RC4, Method(7)); s != "plaintext rc4 Method(0x7)" {
		t.Error(s)
	}
}

func TestOptions(t *testing.T) {
	conn := &script{}
	if _, err := Client(conn, testSKEY, ClientOptions{IA: make([]byte, MaxIA+1)}); err == nil {
		t.Error("an IA of 65,536 bytes")
	}
	if _, err := Client(conn, testSKEY, ClientOptions{Policy: 3}); err == nil {
		t.Error("a dialer with policy 3")
	}
	if _, err := Server(conn, knows(testSKEY), ServerOptions{Policy: 3}); err == nil {
		t.Error("a listener with policy 3")
	}
	_, err := Server(conn, knows(testSKEY), ServerOptions{Early: make([]byte, MaxEarly+1)})
	expect(t, err, p2p.ReasonHandshake, nil)
	if len(conn.out) != 0 {
		t.Errorf("%d bytes were sent", len(conn.out))
	}
}

// Bytes that a caller has read already count like those on the connection.
func TestEarly(t *testing.T) {
	fromClient, _ := transcripts(t, ClientOptions{IA: []byte("ia")}, ServerOptions{}, fixed(1, 99, 9), fixed(2, 9, 99))
	for _, n := range []int{0, 1, 20, keySize, keySize + 50, keySize + 99} {
		conn := &script{in: fromClient[n:]}
		c, err := server(conn, knows(testSKEY), ServerOptions{Early: fromClient[:n]}, fixed(2, 9, 99))
		if err != nil {
			t.Fatalf("%d bytes early: %v", n, err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "ia" {
			t.Errorf("%d bytes early: IA %q: %v", n, got, err)
		}
	}
}
