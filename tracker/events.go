package tracker

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"starling/metainfo"
	"starling/tracker/fleet"
	"starling/tracker/swarm"
)

// Bounds of /api/v1/events.
const (
	// maxStreams is how many are open; more are told to come again after a while.
	maxStreams = 64
	// maxUnread is how many events wait for a client; who is further behind is cut
	// off, and comes again.
	maxUnread = 8
	// maxChanged is how many hosts are in one event; the others are in the next ones.
	maxChanged  = 200
	streamRetry = 2 * time.Second
	keepAlive   = 15 * time.Second
	// shownSwarms is how many swarms are in an event.
	shownSwarms = 100
)

// events are the streams of server-sent events. What they are sent is made once a
// second, however many there are.
type events struct {
	srv *Server

	mu      sync.Mutex // a leaf
	streams map[*stream]struct{}
	closed  chan struct{}
	once    sync.Once

	// What only tick uses.
	ticks   int
	list    []byte // the last "swarms"
	watched map[swarm.InfoHash]*watch
}

// stream is one client.
type stream struct {
	hash   swarm.InfoHash
	swarm  bool // it watches the swarm of hash
	events chan []byte
	fresh  bool // it has had nothing yet; tick's
	gone   bool // it was told that nothing is known of its swarm; tick's
	behind bool // it did not read: it is to end; tick's
}

// watch is what the streams of one swarm have been told.
type watch struct {
	told map[netip.AddrPort]uint64
	next int    // which host of the view to begin with
	last []byte // the event before, without hosts
}

func newEvents(s *Server) *events {
	return &events{
		srv: s, streams: make(map[*stream]struct{}), closed: make(chan struct{}), watched: make(map[swarm.InfoHash]*watch),
	}
}

// close ends all streams.
func (e *events) close() { e.once.Do(func() { close(e.closed) }) }

// join adds a stream, unless there are too many.
func (e *events) join(st *stream) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.streams) >= maxStreams {
		return false
	}
	e.streams[st] = struct{}{}
	return true
}

func (e *events) leave(st *stream) {
	e.mu.Lock()
	delete(e.streams, st)
	e.mu.Unlock()
}

// tick sends what is new. It is called once a second, by one goroutine.
func (e *events) tick() {
	e.ticks++
	e.mu.Lock()
	streams := make([]*stream, 0, len(e.streams))
	for st := range e.streams {
		streams = append(streams, st)
	}
	e.mu.Unlock()
	if len(streams) == 0 {
		e.list = nil
		clear(e.watched)
		return
	}
	e.tellSwarms(streams)
	watched := map[swarm.InfoHash][]*stream{}
	for _, st := range streams {
		if st.swarm {
			watched[st.hash] = append(watched[st.hash], st)
		}
	}
	for hash := range e.watched {
		if watched[hash] == nil {
			delete(e.watched, hash)
		}
	}
	for hash, list := range watched {
		e.tellSwarm(hash, list)
	}
	for _, st := range streams {
		st.fresh = false
	}
}

// tellSwarms sends the list of swarms every other second, if it has changed.
func (e *events) tellSwarms(streams []*stream) {
	if e.ticks%2 == 0 || e.list == nil {
		if ev := event("swarms", e.srv.Swarms(0, shownSwarms)); !bytes.Equal(ev, e.list) {
			e.list = ev
			for _, st := range streams {
				st.push(ev)
			}
			return
		}
	}
	for _, st := range streams {
		if st.fresh {
			st.push(e.list)
		}
	}
}

// swarmEvent is the data of the event "swarm".
type swarmEvent struct {
	V            int                `json:"v"`
	Swarm        fleet.SwarmInfo    `json:"swarm"`
	Status       fleet.Status       `json:"status"`
	Hosts        []fleet.HostInfo   `json:"hosts"`
	Edges        []fleet.Edge       `json:"edges"`
	Availability fleet.Availability `json:"availability"`
}

// bareEvent is the data of the events "gone" and "alive".
type bareEvent struct {
	V int `json:"v"`
}

// tellSwarm sends how a swarm does to those who watch it, if it has changed, and once
// that nothing is known of it. Hosts are sent when they have changed; who comes new
// gets those that will be last.
func (e *events) tellSwarm(hash swarm.InfoHash, streams []*stream) {
	info, v, ok := e.srv.look(hash)
	if !ok {
		delete(e.watched, hash)
		for _, st := range streams {
			if !st.gone {
				st.gone = true
				st.push(event("gone", bareEvent{1}))
			}
		}
		return
	}
	w := e.watched[hash]
	if w == nil {
		w = &watch{told: make(map[netip.AddrPort]uint64)}
		e.watched[hash] = w
	}
	status, _ := e.srv.Status(hash, "", nil)
	data := swarmEvent{
		V: 1, Swarm: info, Status: status, Hosts: []fleet.HostInfo{},
		Edges: v.Edges(fleet.MaxEdges).Edges, Availability: v.Availability(),
	}
	bare := event("swarm", data)
	data.Hosts, w.next = v.Changed(w.next, maxChanged, func(at netip.AddrPort, state uint64) bool {
		if told, ok := w.told[at]; ok && told == state {
			return false
		}
		w.told[at] = state
		return true
	})
	same := len(data.Hosts) == 0 && bytes.Equal(bare, w.last)
	w.last = bare
	w.forget(v)
	ev := event("swarm", data)
	var first []byte
	for _, st := range streams {
		switch {
		case st.fresh || st.gone:
			st.gone = false
			if first == nil {
				data.Hosts = v.Hosts(fleet.Query{Limit: maxChanged}).Hosts
				first = event("swarm", data)
			}
			st.push(first)
		case !same:
			st.push(ev)
		}
	}
}

// forget keeps what was told of hosts that are gone from growing without bound.
func (w *watch) forget(v *fleet.View) {
	if len(w.told) > 2*v.Len()+maxChanged {
		clear(w.told)
	}
}

// push hands an event to a client. One that is too far behind is cut off.
func (st *stream) push(ev []byte) {
	if st.behind {
		return
	}
	select {
	case st.events <- ev:
	default:
		st.behind = true
		close(st.events)
	}
}

// event is one server-sent event with data that always can be encoded.
func event(name string, data any) []byte {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte("null")
	}
	return append(append([]byte("event: "+name+"\ndata: "), b...), "\n\n"...)
}

func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	st := &stream{events: make(chan []byte, maxUnread), fresh: true}
	if text := r.URL.Query().Get("swarm"); text != "" {
		if st.hash, st.swarm = parseHash(text); !st.swarm {
			plain(w, http.StatusBadRequest, "an infohash has 40 hexadecimal digits\n")
			return
		}
		st.hash = s.torrents.primary(metainfo.Hash(st.hash))
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	if !s.events.join(st) {
		w.Header().Set("Retry-After", "10")
		plain(w, http.StatusServiceUnavailable, "too many streams\n")
		return
	}
	defer s.events.leave(st)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in front must not keep events back
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	send := func(b []byte) bool {
		_ = c.SetWriteDeadline(time.Now().Add(s.timeouts.write))
		_, err := w.Write(b)
		return err == nil && c.Flush() == nil
	}
	if !send([]byte("retry: " + strconv.Itoa(int(streamRetry/time.Millisecond)) + "\n\n")) {
		return
	}
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for {
		select {
		case ev, ok := <-st.events:
			if !ok || !send(ev) {
				return
			}
		case <-quiet.C:
			// An event and not a comment: a script sees no comments, and has no other
			// way to know that a connection without news is not a dead one.
			if !send(event("alive", bareEvent{1})) {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.events.closed:
			return
		}
	}
}
