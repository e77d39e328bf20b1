package tracker

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const benchSwarms, benchPeers = 10_000, 100

// appendQuery appends an announce of peer p of swarm h.
func appendQuery(b []byte, h, p int) []byte {
	return fmt.Appendf(b, "info_hash=%016d%%00%%ff%%2b%%20&peer_id=-XX0001-%06d%06d&port=%d"+
		"&uploaded=0&downloaded=0&left=%d&compact=1&numwant=50&event=", h, h, p, 2000+p, p%4)
}

func populated(b *testing.B) *Server {
	b.Helper()
	s, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		b.Fatal(err)
	}
	sc, q := new(scratch), []byte(nil)
	for h := range benchSwarms {
		for p := range benchPeers {
			q = appendQuery(q[:0], h, p)
			s.announce(sc, q, loopback)
		}
	}
	return s
}

// BenchmarkAnnounce is a raw query to a bencoded reply in memory, at 1 M peers; to
// write the query is in it too.
func BenchmarkAnnounce(b *testing.B) {
	s := populated(b)
	rng := rand.New(rand.NewPCG(1, 2))
	sc, q := new(scratch), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		// A random member each time, or the limit per peer would answer.
		q = appendQuery(q[:0], rng.IntN(benchSwarms), rng.IntN(benchPeers))
		s.announce(sc, q, loopback)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
}

// BenchmarkReport is what a report adds to an announce: one of the hosts of one swarm
// each time, plain or with all that a report may hold.
func BenchmarkReport(b *testing.B) {
	const hosts = 10_000
	for _, c := range []struct{ name, more string }{{"without", ""}, {"with", wholeReport}} {
		b.Run(c.name, func(b *testing.B) {
			s, err := New(DefaultConfig(), slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
			if err != nil {
				b.Fatal(err)
			}
			all := make([][]byte, hosts)
			for port := range all {
				all[port] = fmt.Appendf(nil, "%s&%s&port=%d&uploaded=0&downloaded=5&left=5&compact=1&numwant=0%s", okHash, okID, 1+port, c.more)
			}
			announce := announcing(b, s, all)
			for range hosts {
				announce()
			}
			b.ReportAllocs()
			for b.Loop() {
				announce()
			}
		})
	}
}

// BenchmarkHTTP compares the front with net/http alone, over one keep-alive
// connection; the client's own work is in both.
func BenchmarkHTTP(b *testing.B) {
	cfg := DefaultConfig()
	run := func(b *testing.B, addr string) {
		c := dialRaw(b, addr)
		_ = c.SetDeadline(time.Time{})
		request := []byte(plainGET(announcePath(hash1, 1, "&event=stopped")))
		reply := make([]byte, 4096)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Write(request); err != nil {
				b.Fatal(err)
			}
			if n, err := c.Read(reply); err != nil || n == 0 {
				b.Fatal(err)
			}
		}
	}
	b.Run("front", func(b *testing.B) {
		run(b, start(b, cfg, nil).addr)
	})
	b.Run("nethttp", func(b *testing.B) {
		s := newServer(b, cfg, io.Discard)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		web := &http.Server{Handler: s.Handler()}
		go func() { _ = web.Serve(ln) }()
		b.Cleanup(func() { web.Close() })
		run(b, ln.Addr().String())
	})
}

// BenchmarkUDP is an announce over a UDP socket on loopback, from b's goroutines as
// peers that wait for each answer; their own work is in it. "answer" is the
// tracker's part alone, at 1 M peers.
func BenchmarkUDP(b *testing.B) {
	b.Run("loopback", func(b *testing.B) {
		_, at := startUDP(b, DefaultConfig(), "127.0.0.1:0")
		b.ReportAllocs()
		b.SetParallelism(8)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			p := dialUDP(b, at.String())
			packet := appendUDPAnnounce(nil, p.id, 1, &Request{Port: 1, Event: EventStopped})
			reply := make([]byte, 2048)
			for pb.Next() {
				if _, err := p.Write(packet); err != nil {
					b.Error(err)
					return
				}
				if n, err := p.Read(reply); err != nil || n < udpAnnounceReplyLen {
					b.Error(n, err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
	})
	b.Run("answer", func(b *testing.B) {
		w := newUDPWorker(populated(b))
		rng := rand.New(rand.NewPCG(1, 2))
		id := w.cookies.id(loopback, 0)
		var packet []byte
		var hashes [benchSwarms][20]byte
		for h := range hashes {
			copy(hashes[h][:], fmt.Sprintf("%016d\x00\xff+ ", h)) // as in appendQuery
		}
		b.ReportAllocs()
		for now := time.Duration(0); b.Loop(); now += 10 * time.Microsecond {
			h, p := rng.IntN(benchSwarms), rng.IntN(benchPeers)
			packet = appendUDPAnnounce(packet[:0], id, 1, &Request{
				InfoHash: hashes[h], PeerID: [20]byte{byte(p), byte(h), byte(h >> 8)}, Port: uint16(2000 + p), Left: int64(p % 4), NumWant: 50,
			})
			if len(w.answer(packet, loopback, now)) == 0 {
				b.Fatal("no answer")
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
		if refused := testutil.ToFloat64(w.srv.metrics.announces[EventNone][resultTooOften]); refused > float64(b.N)/100 {
			b.Errorf("%v of %d announces were too often", refused, b.N)
		}
	})
}
