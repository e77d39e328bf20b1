package tracker

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"starling/tracker/swarm"
)

const discoveryPath = "/api/v1/sd/prometheus"

// maxTargets bounds the targets of service discovery. A new one above it is left
// out until others have expired.
const maxTargets = 20_000

// maxTargetsPerHost bounds them for one address, so that one host cannot take all
// the room or send Prometheus to all of its own ports.
const maxTargetsPerHost = 64

// discovery knows the metrics endpoints of the peers that told one. The address is
// the announce's own; only the port and the labels are the peer's word. A process
// with many torrents is one target.
type discovery struct {
	ttl     time.Duration
	mu      sync.Mutex // a leaf
	targets map[netip.AddrPort]*target
	hosts   map[netip.Addr]int
}

type target struct {
	seen   time.Duration
	seeder bool
	id     [20]byte // of the peer
	node   string   // percent-encoded, as received
	labels []string // names and values in turn; never changed in place, for snapshot shares it
}

func newDiscovery(ttl time.Duration) *discovery {
	return &discovery{ttl: ttl, targets: make(map[netip.AddrPort]*target), hosts: make(map[netip.Addr]int)}
}

// note takes in an announce with a metrics port. In the usual case, a known target
// whose words have not changed, it allocates nothing.
func (d *discovery) note(now time.Duration, q *query) {
	at := netip.AddrPortFrom(q.Addr.Addr(), q.metricsPort)
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.targets[at]
	if q.Event == swarm.Stopped {
		d.drop(at)
		return
	}
	if t == nil {
		if len(d.targets) >= maxTargets || d.hosts[at.Addr()] >= maxTargetsPerHost {
			return
		}
		t = new(target)
		d.targets[at] = t
		d.hosts[at.Addr()]++
	}
	t.seen, t.seeder, t.id = now, q.Left == 0, q.PeerID
	if t.node != string(q.node) {
		t.node = string(q.node)
	}
	same := len(t.labels) == 2*q.numLabels
	for i := 0; same && i < q.numLabels; i++ {
		same = t.labels[2*i] == string(q.labels[i].name) && t.labels[2*i+1] == string(q.labels[i].value)
	}
	if same {
		return
	}
	t.labels = make([]string, 0, 2*q.numLabels)
	for _, l := range q.labels[:q.numLabels] {
		t.labels = append(t.labels, string(l.name), string(l.value))
	}
}

// drop needs mu.
func (d *discovery) drop(at netip.AddrPort) {
	if d.targets[at] == nil {
		return
	}
	delete(d.targets, at)
	if d.hosts[at.Addr()]--; d.hosts[at.Addr()] <= 0 {
		delete(d.hosts, at.Addr())
	}
}

// expire forgets who has not announced for the TTL.
func (d *discovery) expire(now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, t := range d.targets {
		if now-t.seen >= d.ttl {
			d.drop(at)
		}
	}
}

// targetGroup is one element of Prometheus' HTTP service discovery.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// found is a target with its address.
type found struct {
	target
	at netip.AddrPort
}

// snapshot copies the targets. Announces wait for the lock, so that nothing else is
// done while it is held.
func (d *discovery) snapshot() []found {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]found, 0, len(d.targets))
	for at, t := range d.targets {
		all = append(all, found{*t, at})
	}
	return all
}

// endpoint is a process's listener for metrics, at whatever address.
type endpoint struct {
	id   [20]byte
	port uint16
}

// list returns the targets by address. A process that announces over both families is
// one, over IPv4: all that it measures would count twice.
func (d *discovery) list() []targetGroup {
	all := d.snapshot()
	slices.SortFunc(all, func(a, b found) int { return a.at.Compare(b.at) })
	groups := make([]targetGroup, 0, len(all))
	over4 := make(map[endpoint]bool)
	for i := range all {
		t := &all[i]
		if e := (endpoint{t.id, t.at.Port()}); t.at.Addr().Is4() {
			over4[e] = true
		} else if over4[e] {
			continue
		}
		labels := map[string]string{"__meta_starling_role": "leecher"}
		if t.seeder {
			labels["__meta_starling_role"] = "seeder"
		}
		if node := labelValue(t.node); node != "" {
			labels["__meta_starling_node"] = node
		}
		for i := 0; i < len(t.labels); i += 2 {
			if name := t.labels[i]; isLabelName(name) {
				labels["__meta_starling_label_"+name] = labelValue(t.labels[i+1])
			}
		}
		groups = append(groups, targetGroup{Targets: []string{t.at.String()}, Labels: labels})
	}
	return groups
}

// labelValue decodes a label's value: at most maxLabelBytes of valid UTF-8 without
// control characters, or nothing.
func labelValue(raw string) string {
	var buf [maxLabelBytes]byte
	n, ok := unescape(buf[:], []byte(raw))
	v := string(buf[:n])
	if !ok || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return v
}

// isLabelName says whether s can be part of a Prometheus label's name.
func isLabelName[T string | []byte](s T) bool {
	for _, c := range []byte(s) {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return len(s) > 0
}

func (s *Server) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	sendJSON(w, s.discovery.list())
}
