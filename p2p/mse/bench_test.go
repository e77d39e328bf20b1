package mse

import (
	"io"
	"net"
	"testing"
)

// BenchmarkRC4 is what the payload costs on top of the connection: a block of
// 16 KiB and its header.
func BenchmarkRC4(b *testing.B) {
	block := make([]byte, 16<<10+13)
	for _, name := range []string{"write", "read"} {
		b.Run(name, func(b *testing.B) {
			c := sealed(b, &zeros{})
			use := c.Write
			if name == "read" {
				use = c.Read
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				if n, err := use(block); n != len(block) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkSmallWrite is a message of 17 bytes, such as a request.
func BenchmarkSmallWrite(b *testing.B) {
	c := sealed(b, &zeros{})
	message := make([]byte, 17)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(message); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkServer is the listener's share of a handshake.
func BenchmarkServer(b *testing.B) {
	heard := said(b)["listener"]
	find := knows(testSKEY)
	b.ReportAllocs()
	for b.Loop() {
		conn := &script{in: heard}
		if _, err := server(conn, find, ServerOptions{}, fixed(2, 4, 40)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProbe is what somebody's 96 bytes cost who knows no torrent.
func BenchmarkProbe(b *testing.B) {
	heard := said(b)["listener"][:keySize]
	find := knows(testSKEY)
	b.ReportAllocs()
	for b.Loop() {
		conn := &script{in: heard}
		if _, err := server(conn, find, ServerOptions{}, fixed(2, 4, 40)); err == nil {
			b.Fatal("a handshake of one key")
		}
	}
}

// BenchmarkHandshake is both sides' over net.Pipe, with all that they draw.
func BenchmarkHandshake(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		x, y := net.Pipe()
		shake(b, x, y, ClientOptions{}, ServerOptions{}, draw(), draw())
		x.Close()
		y.Close()
	}
}

// BenchmarkLoopback moves blocks over TCP: with no Conn, with one of each method.
func BenchmarkLoopback(b *testing.B) {
	for _, name := range []string{"raw", "plaintext", "rc4"} {
		b.Run(name, func(b *testing.B) {
			x, y := loopback(b)
			var from, to net.Conn = x, y
			if name != "raw" {
				p := PreferPlaintext
				if name == "rc4" {
					p = RequireRC4
				}
				c, s := shake(b, x, y, ClientOptions{Policy: p}, ServerOptions{Policy: p}, draw(), draw())
				from, to = c, s
			}
			received := make(chan error, 1)
			go func() {
				// What both kinds have: no splice for the raw one.
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{to}, make([]byte, 64<<10))
				received <- err
			}()
			block := make([]byte, 16<<10+13)
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				if _, err := from.Write(block); err != nil {
					b.Fatal(err)
				}
			}
			if err := x.CloseWrite(); err != nil {
				b.Fatal(err)
			}
			if err := <-received; err != nil {
				b.Fatal(err)
			}
		})
	}
}
