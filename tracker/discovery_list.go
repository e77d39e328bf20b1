package tracker

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

const discoveryPath = "/api/v1/sd/prometheus"

// targetGroup is one element of Prometheus' HTTP service discovery.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// found is a copy of a target, with its address.
type found struct {
	at     netip.AddrPort
	id     [20]byte
	node   string
	labels []string
	seeder bool
}

// snapshot copies the targets. Announces wait for the lock, so that nothing else is
// done while it is held.
func (d *discovery) snapshot() []found {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]found, 0, len(d.targets))
	for at, t := range d.targets {
		all = append(all, found{at, t.id, t.node, t.labels, t.seeder()})
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
