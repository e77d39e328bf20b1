package browser

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/tracker/fleet"
	"starling/tracker/view"
)

type interim struct {
	mu    sync.Mutex
	rolls []*rollout
	views map[[20]byte]*fleet.View
	now   float64
}

func (s *interim) set(t float64) {
	st := fleet.New(fleet.Default(time.Hour))
	views := map[[20]byte]*fleet.View{}
	for _, r := range s.rolls {
		for _, rep := range r.reports(t) {
			if err := st.Note(0, &rep); err != nil {
				panic(err)
			}
		}
		v := st.View(0, r.hash)
		v.Seal()
		views[r.hash] = v
	}
	s.mu.Lock()
	s.views, s.now = views, t
	s.mu.Unlock()
}
func (s *interim) get(h [20]byte) (*fleet.View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.views[h]
	return v, ok
}
func (s *interim) info(r *rollout) fleet.SwarmInfo {
	v, _ := s.get(r.hash)
	i := v.Summary()
	i.InfoHash, i.Name = hex.EncodeToString(r.hash[:]), r.name
	return i
}
func (s *interim) Swarms(offset, limit int) fleet.Swarms {
	out := fleet.Swarms{V: 1, Total: len(s.rolls), Swarms: []fleet.SwarmInfo{}}
	for _, r := range s.rolls {
		out.Swarms = append(out.Swarms, s.info(r))
	}
	out.Swarms = out.Swarms[min(offset, len(out.Swarms)):min(offset+limit, len(out.Swarms))]
	return out
}
func (s *interim) Swarm(h [20]byte) (fleet.Swarm, bool) {
	i := slices.IndexFunc(s.rolls, func(r *rollout) bool { return r.hash == h })
	if i < 0 {
		return fleet.Swarm{}, false
	}
	return fleet.Swarm{V: 1, SwarmInfo: s.info(s.rolls[i])}, true
}
func (s *interim) Status(h [20]byte, by string, l []fleet.Label) (fleet.Status, bool) {
	v, ok := s.get(h)
	if !ok {
		return fleet.Status{}, false
	}
	return v.Status(by, l), true
}
func (s *interim) Hosts(h [20]byte, q fleet.Query) (fleet.Hosts, bool) {
	v, ok := s.get(h)
	if !ok {
		return fleet.Hosts{}, false
	}
	return v.Hosts(q), true
}
func (s *interim) Edges(h [20]byte, n int) (fleet.Edges, bool) {
	v, ok := s.get(h)
	if !ok {
		return fleet.Edges{}, false
	}
	return v.Edges(n), true
}
func (s *interim) Availability(h [20]byte) (fleet.Availability, bool) {
	v, ok := s.get(h)
	if !ok {
		return fleet.Availability{}, false
	}
	return v.Availability(), true
}
func (s *interim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	num := func(k string, d int) int {
		if n, err := strconv.Atoi(q.Get(k)); err == nil {
			return n
		}
		return d
	}
	if t := q.Get("set"); t != "" {
		f, _ := strconv.ParseFloat(t, 64)
		s.set(f)
		return
	}
	if r.URL.Path == "/api/v1/events" {
		s.events(w, r)
		return
	}
	var h [20]byte
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/swarms/"), "/")
	if len(p) == 2 {
		b, _ := hex.DecodeString(p[0])
		copy(h[:], b)
		hosts, _ := s.Hosts(h, fleet.Query{Sort: q.Get("sort"), Offset: num("offset", 0), Limit: num("limit", 100)})
		_ = json.NewEncoder(w).Encode(hosts)
	}
}
func (s *interim) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 2000\n\n")
	var h [20]byte
	b, _ := hex.DecodeString(r.URL.Query().Get("swarm"))
	copy(h[:], b)
	prints := map[string]uint64{}
	for {
		if v, ok := s.get(h); ok {
			sw, _ := s.Swarm(h)
			b, _ := json.Marshal(map[string]any{"v": 1, "swarm": sw.SwarmInfo, "status": v.Status("", nil), "edges": v.Edges(200).Edges, "availability": v.Availability(),
				"hosts": v.Changed(200, func(_ netip.AddrPort, _ uint64) bool { return true })})
			fmt.Fprintf(w, "event: swarm\ndata: %s\n\n", b)
		}
		_ = prints
		b, _ := json.Marshal(s.Swarms(0, 100))
		fmt.Fprintf(w, "event: swarms\ndata: %s\n\n", b)
		if rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func TestInterim(t *testing.T) {
	addr := os.Getenv("INTERIM")
	if addr == "" {
		t.Skip("no")
	}
	s := &interim{rolls: []*rollout{newRollout("llama-70b", [20]byte{1, 2, 3}, 72, 6, 20000, 131<<30, 120)}}
	for i := range 8 {
		s.rolls = append(s.rolls, newRollout(fmt.Sprintf("dataset-%d", i), [20]byte{9, byte(i)}, 10+i*7, 3, 30000+100*i, int64(i+1)<<31, 60+30*float64(i)))
	}
	if n, _ := strconv.Atoi(os.Getenv("HOSTS")); n > 0 {
		s.rolls[0] = newRollout("llama-70b", [20]byte{1, 2, 3}, n, 12, 20000, 131<<30, 120)
	}
	s.set(1)
	if os.Getenv("RUN") != "" {
		go func() {
			for k := 0; ; k++ {
				s.set(float64(k))
				time.Sleep(time.Second)
			}
		}()
	}
	mux := http.NewServeMux()
	mux.Handle("/", view.New(s))
	mux.Handle("/api/", s)
	t.Fatal(http.ListenAndServe(addr, mux))
}
