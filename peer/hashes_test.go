package peer

import (
	"strings"
	"testing"

	"starling/metainfo/merkle"
	"starling/peer/wire"
)

// TestHashRequests: each request for hashes gets one answer, also while it is choked;
// of one remote four are worked on. Without hashes, as of a v1 torrent, all are
// rejected.
func TestHashRequests(t *testing.T) {
	known := wire.Hashes{Request: merkle.Request{Length: 1}}
	unknown := wire.Hashes{Root: merkle.Hash{1}, Request: merkle.Request{Length: 1}}
	head := func(h wire.Hashes) string { return string(h.Append(nil)) }

	s := newStage(t, stagePieces, nothing, nil)
	c := s.foreign(1, fullCaps, wire.HNON)
	s.take()
	s.h.Deliver(c, wire.HREQ, head(known))
	if msgs, _ := s.take(c); names(msgs) != "HREJ" || string(msgs[0].head) != head(known) || s.h.Jobs() != 0 {
		t.Errorf("without hashes: %q, %d jobs", names(msgs), s.h.Jobs())
	}

	s = newStage(t, stagePieces, nothing, func(cfg *EngineConfig) { cfg.Hashes = someHashes{} })
	c = s.foreign(1, fullCaps, wire.HNON)
	gone := s.foreign(2, fullCaps, wire.HNON)
	s.take()
	s.h.Deliver(gone, wire.HREQ, head(known))
	s.h.Hangup(gone, nil)
	for range maxHashJobs + 2 {
		s.h.Deliver(c, wire.HREQ, head(known))
		s.sound()
	}
	if msgs, _ := s.take(c); names(msgs) != "HREJ HREJ" {
		t.Errorf("at once: %q", names(msgs))
	}
	s.finishJobs()
	msgs, _ := s.take()
	if names(msgs) != strings.TrimSpace(strings.Repeat("HASH ", maxHashJobs)) {
		t.Fatalf("answered with %q", names(msgs))
	}
	if got, want := string(msgs[0].head), head(known)+string(make([]byte, merkle.Size)); got != want || msgs[0].conn != c {
		t.Errorf("the answer is %x, want %x", got, want)
	}
	s.h.Deliver(c, wire.HREQ, head(unknown))
	s.finishJobs()
	s.sound()
	if msgs, _ := s.take(c); names(msgs) != "HREJ" || string(msgs[0].head) != head(unknown) {
		t.Errorf("an unknown tree: %q", names(msgs))
	}
	r := s.remotes[c]
	if r.hashBytes != maxHashJobs*(wire.HashHead+merkle.Size) {
		t.Errorf("it was given %d bytes", r.hashBytes)
	}
	r.hashBytes = freeHashes + s.geo.TotalLength/hashShare + 1
	s.h.Deliver(c, wire.HREQ, head(known))
	s.finishJobs()
	if msgs, _ := s.take(c); names(msgs) != "HREJ" {
		t.Errorf("beyond its share: %q", names(msgs))
	}
	s.h.Deliver(c, wire.HREQ, head(known)[1:])
	if _, closed := s.take(); closed[c] != "bad_message" {
		t.Errorf("a short one: closed with %q", closed[c])
	}
}
