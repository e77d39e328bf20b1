package browser

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"starling/tracker/fleet"
)

// rollout is a made-up rollout whose every moment is a function of the time since its
// beginning: the same each run.
type rollout struct {
	name    string
	hash    [20]byte
	torrent []byte // its file, where the tracker serves it
	size    int64
	took    float64 // seconds that an ordinary host takes
	hosts   []synthetic
}

// synthetic is one made-up host.
type synthetic struct {
	node, rack, zone string
	addr             netip.AddrPort
	pace, delay      float64 // 1 is ordinary; seconds
	why              fleet.Why
	seed             bool
}

// mix is a hash of a few numbers, for all that looks like chance.
func mix(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h ^= p
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 29
		h *= 0x94d049bb133111eb
		h ^= h >> 32
	}
	return h
}

// chance is in [0, 1).
func chance(parts ...uint64) float64 { return float64(mix(parts...)>>11) / (1 << 53) }

// newRollout makes one seed and hosts in racks; some of them are slow, each for a
// reason of its own.
func newRollout(name string, hash [20]byte, hosts, racks, firstPort int, size int64, took float64) *rollout {
	r := &rollout{name: name, hash: hash, size: size, took: took}
	slow := []fleet.Why{fleet.WhyDisk, fleet.WhyLink, fleet.WhyChoked, fleet.WhyLimit}
	for i := range hosts {
		n := uint64(i) + uint64(hash[0])<<32
		rack := i % racks
		h := synthetic{
			node: fmt.Sprintf("gpu-r%02d-%02d", rack+1, i/racks+1), rack: fmt.Sprintf("r%02d", rack+1), zone: string(rune('a' + rack%2)),
			addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(firstPort+i)),
			pace: 0.85 + 0.3*chance(n, 1), delay: 0.06 * took * chance(n, 2), why: fleet.WhyPeers,
		}
		switch {
		case i == 0:
			h.node, h.seed = "store-1", true
		case i%max(13, hosts/8) == 5:
			h.pace, h.why = 0.42+0.2*chance(n, 3), slow[(i/max(13, hosts/8))%len(slow)]
		case chance(n, 4) < 0.25:
			h.why = fleet.WhySeed
		}
		r.hosts = append(r.hosts, h)
	}
	return r
}

// share is what host i has at second t.
func (r *rollout) share(i int, t float64) float64 {
	h := &r.hosts[i]
	if h.seed {
		return 1
	}
	return min(1, max(0, (t-h.delay)*h.pace/r.took))
}

// down is what it gets at second t, bytes a second.
func (r *rollout) down(i int, t float64) int64 {
	s := r.share(i, t)
	if s <= 0 || s >= 1 {
		return 0
	}
	wobble := 0.8 + 0.3*chance(uint64(i), uint64(t/2)) + 0.1*math.Sin(t/7)
	return int64(wobble * r.hosts[i].pace * float64(r.size) / r.took)
}

// from is who feeds it most at second t; it chooses others every few seconds.
func (r *rollout) from(i int, t float64) []fleet.Source {
	down := r.down(i, t)
	if down == 0 {
		return nil
	}
	mine := r.share(i, t)
	epoch := uint64(t/9 + 0.37*float64(i))
	var out []fleet.Source
	for k := uint64(0); k < 12 && len(out) < 3; k++ {
		j := int(mix(uint64(i), epoch, k) % uint64(len(r.hosts)))
		if chance(uint64(i), epoch, k, 5) < 0.12*(1-mine) {
			j = 0
		}
		if j == i || r.share(j, t) < max(0.03, mine-0.15) {
			continue
		}
		part := 0.5 / math.Pow(1.7, float64(len(out))) * (0.7 + 0.6*chance(uint64(i), epoch, k, 6))
		out = append(out, fleet.Source{Addr: r.hosts[j].addr, BPS: int64(part * float64(down))})
	}
	if len(out) == 0 {
		out = append(out, fleet.Source{Addr: r.hosts[0].addr, BPS: down})
	}
	return out
}

// report is what host i tells at second t; up is what others said that it gave them.
func (r *rollout) report(i int, t float64, up int64) fleet.Report {
	h, s := &r.hosts[i], r.share(i, t)
	rep := fleet.Report{
		Hash: r.hash, Addr: h.addr, Size: r.size, Done: int64(s * float64(r.size)), Down: r.down(i, t), Up: up,
		State: fleet.Downloading, Why: h.why, LeftS: -1, From: r.from(i, t), Node: []byte(h.node),
	}
	copy(rep.ID[:], fmt.Sprintf("-SL0001-%012d", h.addr.Port()))
	if !h.seed {
		rep.Labels = []fleet.RawLabel{{Name: []byte("rack"), Value: []byte(h.rack)}, {Name: []byte("zone"), Value: []byte(h.zone)}}
	}
	if s >= 1 {
		rep.State, rep.Why, rep.LeftS = fleet.Seeding, fleet.WhyNone, 0
	} else if s > 0 {
		rep.LeftS = int64((1 - s) * r.took / h.pace)
	}
	for k := range rep.Have {
		// Parts come in an order of the host's own.
		edge := 64*s - float64(mix(uint64(i), uint64(k), 7)%64)
		rep.Have[k] = byte(255 * min(1, max(0, edge)))
		if s >= 1 {
			rep.Have[k] = 255
		}
	}
	return rep
}

// reports are those of all hosts at second t.
func (r *rollout) reports(t float64) []fleet.Report {
	up := make(map[netip.AddrPort]int64)
	for i := range r.hosts {
		for _, f := range r.from(i, t) {
			up[f.Addr] += f.BPS
		}
	}
	out := make([]fleet.Report, len(r.hosts))
	for i := range r.hosts {
		out[i] = r.report(i, t, up[r.hosts[i].addr])
	}
	return out
}

// announce is the path of the announce that brings a report to a tracker.
func announce(r *fleet.Report) string {
	var b strings.Builder
	b.WriteString("/announce?numwant=0&compact=1&info_hash=" + quoted(r.Hash))
	fmt.Fprintf(&b, "&peer_id=%s&port=%d&left=%d&x_report=1&x_size=%d&x_done=%d&x_down=%d&x_up=%d&x_state=%v&x_why=%v",
		r.ID[:], r.Addr.Port(), r.Size-r.Done, r.Size, r.Done, r.Down, r.Up, r.State, r.Why)
	if r.LeftS >= 0 {
		fmt.Fprintf(&b, "&x_left_s=%d", r.LeftS)
	}
	fmt.Fprintf(&b, "&x_have=%s&x_node=%s", base64.RawURLEncoding.EncodeToString(r.Have[:]), escaped(r.Node))
	for _, l := range r.Labels {
		fmt.Fprintf(&b, "&x_label_%s=%s", l.Name, escaped(l.Value))
	}
	for i, f := range r.From {
		ip := f.Addr.Addr().As4()
		b.WriteString(map[bool]string{true: "&x_from=", false: "."}[i == 0])
		fmt.Fprintf(&b, "%x%04x-%d", ip[:], f.Addr.Port(), f.BPS)
	}
	return b.String()
}
