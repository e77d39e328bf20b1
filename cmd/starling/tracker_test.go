package main

import (
	"strings"
	"testing"

	"starling/cmd/starling/internal/config"
)

// TestTrackerKnowsOurPeers: what we announce with is what our tracker takes for a
// peer that keeps its interval.
func TestTrackerKnowsOurPeers(t *testing.T) {
	cfg := trackerConfig(&config.Tracker{})
	id := newPeerID()
	if p := cfg.Swarm.Prompt; p == "" || !strings.HasPrefix(string(id[:]), p) {
		t.Errorf("peer id %q, the tracker's prefix %q", id, p)
	}
	if cfg.Swarm.LaxTTL <= cfg.Swarm.TTL {
		t.Errorf("other clients are listed for %v, ours for %v", cfg.Swarm.LaxTTL, cfg.Swarm.TTL)
	}
}
