//go:build linux

package interop

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	superSize = 16 * mib
	// superRate is each one's uplink: so slow that the seed's is what all wait for.
	superRate = 1000 * kib
	superTime = 120 * time.Second
	// superMost is how much of its content a seed that gives each piece once first may
	// send until somebody else has all, where the clients pass on at once what they
	// have.
	superMost = 1.15
)

// TestSuperSeed has a starling with a slow uplink seed to clients that read none of
// its suggestions, with --super-seed (BEP 16) and without: all finish, and with it
// the seed sends little more than one copy until somebody else has all.
func TestSuperSeed(t *testing.T) {
	for _, tt := range []struct {
		leechers []*program
		most     float64
	}{
		{[]*program{libtorrent, libtorrent, libtorrent}, superMost},
		{[]*program{libtorrent, libtorrent, transmission}, superMost},
		{[]*program{libtorrent, qbittorrent, aria2, rtorrent}, 2},
		{[]*program{transmission}, superMost},
	} {
		var names []string
		for _, p := range tt.leechers {
			names = append(names, p.name)
		}
		t.Run(strings.Join(names, " "), func(t *testing.T) {
			needs(t, tt.leechers...)
			t.Parallel()
			super := superSeeded(t, tt.leechers, true)
			plain := superSeeded(t, tt.leechers, false)
			if super > tt.most || len(tt.leechers) > 1 && super > plain {
				t.Errorf("until the first was complete the seed sent %.2f copies, without --super-seed %.2f", super, plain)
			}
		})
	}
}

// superSeeded has the clients fetch, and returns how many copies the seed sent until
// the first of them was complete.
func superSeeded(t *testing.T, leechers []*program, super bool) float64 {
	t.Helper()
	s := newSite(t)
	tr := s.tracker()
	sw := s.swarm(map[string]int{"big.bin": superSize}, tr, "--tracker", tr.url)
	seed := sw.seed(ours, settings{superSeed: super, upLimit: superRate})
	tr.knows(sw.meta, 1, 0)
	var nodes []*node
	for i, p := range leechers {
		n := s.node(p, fmt.Sprintf("%d-%s", i, p.name), settings{upLimit: superRate})
		n.give(job{torrent: sw.torrent, dir: sw.into(n)})
		nodes = append(nodes, n)
	}
	began := time.Now()
	var first time.Time
	eventually(t, superTime, "all are complete", func() error {
		var late []string
		for _, n := range nodes {
			if err := n.alive(); err != nil {
				return err
			}
			st, err := n.state()
			switch {
			case err != nil || !st.complete:
				late = append(late, fmt.Sprintf("%s: %v %v", n.name, st, err))
			case first.IsZero():
				first = time.Now()
			}
		}
		if late != nil {
			return errors.New(strings.Join(late, "\n"))
		}
		return nil
	})
	all := time.Since(began)
	for _, n := range nodes {
		sameTree(t, sw.content, filepath.Join(sw.into(n), sw.name))
		n.stop()
	}
	until, sent := int64(0), int64(0)
	readMessages(t, seed.messageLog(), func(m *message) {
		if m.Type != "PIEC" || m.Dir != "send" {
			return
		}
		sent += m.Length - 8 // the piece and where it begins
		if m.Time.Before(first) {
			until = sent
		}
	})
	copies := float64(until) / superSize
	t.Logf("super-seed %t: the first was complete after %.1f s and %.2f copies, all after %.1f s and %.2f",
		super, first.Sub(began).Seconds(), copies, all.Seconds(), float64(sent)/superSize)
	return copies
}
