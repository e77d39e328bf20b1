package tracker

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// come waits until something waits to be taken.
func come(t *testing.T, c syscall.Conn) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !waiting(c); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing comes")
		}
	}
}

// On a machine so busy that the last call is over before anybody has looked, who is in
// the queue is taken all the same, and a request that has come is answered.
func TestLastCallIsOver(t *testing.T) {
	past := time.Now().Add(-time.Hour)
	for _, where := range []string{"in the queue", "on a connection"} {
		t.Run(where, func(t *testing.T) {
			s := newServer(t, DefaultConfig(), io.Discard)
			ln, err := Listen(t.Context(), "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			client := dialRaw(t, ln.Addr().String())
			client.send(t, plainGET(announcePath(hash1, 1, "&left=0")))
			come(t, ln)
			if where == "in the queue" {
				_ = ln.SetDeadline(past)
				if err := s.accept(context.Background(), ln); err != nil {
					t.Fatal(err)
				}
			} else {
				taken, err := ln.AcceptTCP()
				if err != nil {
					t.Fatal(err)
				}
				come(t, taken)
				s.timeouts.idle = time.Until(past)
				s.draining.Store(true)
				f := front{srv: s, conn: &conn{TCPConn: taken, srv: s}, from: remoteIP(taken)}
				go f.run()
			}
			if resp, body := client.reply(t); resp.StatusCode != http.StatusOK || field(t, body, "complete") != "1" {
				t.Errorf("the answer: %d %q", resp.StatusCode, body)
			}
			client.Close()
			s.fronts.Wait()
		})
	}
}

// Who has sent nothing when the last call is over is let go.
func TestLastCallIsOverForTheSilent(t *testing.T) {
	s := newServer(t, DefaultConfig(), io.Discard)
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	taken, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	s.draining.Store(true)
	s.timeouts.idle = -time.Hour
	f := front{srv: s, conn: &conn{TCPConn: taken, srv: s}, from: remoteIP(taken)}
	f.run()
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}
