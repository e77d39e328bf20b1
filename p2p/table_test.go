package p2p_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"starling/p2p"
)

func TestTableAgainstModel(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		limit := r.IntN(12)
		_, n := start(t, p2p.Config{MaxPeers: limit})
		model := map[string]string{}
		for range 500 {
			id := fmt.Sprintf("p%d", r.IntN(20))
			addr := fmt.Sprintf("h%d:1", r.IntN(20))
			_, known := model[id]
			switch r.IntN(3) {
			case 0, 1:
				var w error
				switch {
				case known:
					w = p2p.ErrKnown
				case limit > 0 && len(model) == limit:
					w = p2p.ErrTableFull
				default:
					model[id] = addr
				}
				if err := n.AddPeer(id, addr); !errors.Is(err, w) {
					t.Fatalf("seed %d: AddPeer(%s): %v, want %v", seed, id, err, w)
				}
			case 2:
				if n.RemovePeer(id) != known {
					t.Fatalf("seed %d: RemovePeer(%s) is not %v", seed, id, known)
				}
				delete(model, id)
			}
			if addr, ok := n.Peer(id); addr != model[id] || ok != (model[id] != "") {
				t.Fatalf("seed %d: Peer(%s) = %q, %v", seed, id, addr, ok)
			}
			if n.NumPeers() != len(model) || n.Full() != (limit > 0 && len(model) == limit) {
				t.Fatalf("seed %d: %d peers, full %v; model %d of %d", seed, n.NumPeers(), n.Full(), len(model), limit)
			}
		}
		ids := []string{}
		for _, p := range n.Peers() {
			ids = append(ids, p.ID)
		}
		if w := slices.Sorted(maps.Keys(model)); !slices.Equal(ids, w) {
			t.Errorf("seed %d: ids %v, want %v", seed, ids, w)
		}
	}
}

func TestTableRefuses(t *testing.T) {
	_, n := start(t, p2p.Config{ID: "self"})
	for _, tc := range []struct {
		id, addr string
		want     error
	}{
		{"self", "x:1", p2p.ErrSelf},
		{"other", "me:1", p2p.ErrSelf},
		{"", "x:1", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a b", "x:1", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", "x", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", "x:http", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", "fe80::1:80", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", "[x]:80", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", "[::1:80", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
		{"a", ":80", &p2p.ProtocolError{Reason: p2p.ReasonBadMessage}},
	} {
		if err := n.AddPeer(tc.id, tc.addr); !errors.Is(err, tc.want) {
			t.Errorf("AddPeer(%q, %q) = %v, want %v", tc.id, tc.addr, err, tc.want)
		}
	}
	if err := n.AddPeer("six", "[::1]:080"); err != nil {
		t.Error(err)
	}
	if addr, _ := n.Peer("six"); addr != "[::1]:80" {
		t.Errorf("six is at %q", addr)
	}
}

func TestPositions(t *testing.T) {
	_, n := start(t, p2p.Config{MaxPeers: 2})
	for _, err := range []error{n.AddPeerAt(0, "me:1", "me:1"), n.AddPeerAt(-7, "b", "b:1"), n.AddPeerAt(0, "c", "c:1")} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := n.AddPeerAt(3, "d", "d:1"); err != p2p.ErrTableFull {
		t.Errorf("third position: %v", err)
	}
	if p, ok := n.PeerAt(0); !ok || p != (p2p.Peer{ID: "c", Addr: "c:1"}) {
		t.Errorf("position 0: %v, %v", p, ok)
	}
	if n.NumPeers() != 0 {
		t.Error("a position counts as an id")
	}
	if !n.RemovePeerAt(0) || n.RemovePeerAt(0) {
		t.Error("RemovePeerAt")
	}
	if err := n.AddPeerAt(3, "bad id", "d:1"); p2p.ReasonOf(err) != p2p.ReasonBadMessage {
		t.Errorf("bad id at a position: %v", err)
	}
}

func TestErrors(t *testing.T) {
	seen := map[string]bool{}
	for r := range p2p.Reason(p2p.NumReasons) {
		if s := r.String(); s == "" || seen[s] {
			t.Errorf("reason %d is %q", r, s)
		} else {
			seen[s] = true
		}
	}
	if s := p2p.Reason(250).String(); s != "other" {
		t.Errorf("unknown reason is %q", s)
	}
	cause := errors.New("cause")
	err := fmt.Errorf("wrapped: %w", p2p.Violation(p2p.ReasonFlood, "%d times: %w", 3, cause))
	if p2p.ReasonOf(err) != p2p.ReasonFlood || !errors.Is(err, cause) ||
		!errors.Is(err, &p2p.ProtocolError{Reason: p2p.ReasonFlood}) || errors.Is(err, &p2p.ProtocolError{Reason: p2p.ReasonIO}) {
		t.Errorf("%v does not unwrap", err)
	}
	if err.Error() != "wrapped: flood: 3 times: cause" {
		t.Error(err)
	}
	if s := (&p2p.ProtocolError{Reason: p2p.ReasonIO, Err: cause}).Error(); s != "io: cause" {
		t.Error(s)
	}
	if p2p.ReasonOf(cause) != p2p.ReasonOther {
		t.Error("reason of a plain error")
	}
}
