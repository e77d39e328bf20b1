package webseed_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"starling/metainfo"
	"starling/peer"
)

// TestAlone fetches a torrent that nobody seeds, in few requests.
func TestAlone(t *testing.T) {
	t.Parallel()
	c := single(t, 16*mib+12345, 64*kib)
	s := serve(t, c, nil)
	l := leech(t, c, 1, []string{s.URL + "/file.bin"})
	l.complete()
	st := l.Stats()
	if st.FromWebSeeds != int64(len(c.all)) {
		t.Errorf("%d bytes came from web seeds, want %d", st.FromWebSeeds, len(c.all))
	}
	requests, sent := s.count()
	t.Logf("%d pieces in %d requests, %.3f copies", st.PiecesTotal, requests, float64(sent)/float64(len(c.all)))
	// 64 stretches, the first look, and some where requests did not come in order.
	if requests > 80 {
		t.Errorf("%d requests for %d pieces", requests, st.PiecesTotal)
	}
	if sent > int64(len(c.all))*11/10 {
		t.Errorf("the server sent %d bytes of %d", sent, len(c.all))
	}
}

// TestShared has four leechers and one web seed that is slower than they are: it
// sends little more than one copy of the torrent, and they the rest to each other.
func TestShared(t *testing.T) {
	t.Parallel()
	c := single(t, 32*mib, 256*kib)
	s := serve(t, c, nil)
	s.rate = 16 * mib
	var all []*leecher
	var addrs []string
	for i := range 4 {
		l := leech(t, c, byte(i+1), []string{s.URL + "/file.bin"}, addrs...)
		all = append(all, l)
		addrs = append(addrs, l.session.Addr().String())
	}
	for _, l := range all {
		l.complete()
	}
	requests, sent := s.count()
	copies := float64(sent) / float64(len(c.all))
	t.Logf("%d requests, %.2f copies", requests, copies)
	if copies > 2 {
		t.Errorf("the web seed sent %.2f copies to four leechers", copies)
	}
	for i, l := range all {
		st := l.Stats()
		if st.FromWebSeeds == 0 || st.FromWebSeeds >= int64(len(c.all)) {
			t.Errorf("leecher %d has %d of %d bytes from the web seed", i, st.FromWebSeeds, len(c.all))
		}
	}
}

// TestFiles: the pieces of a torrent of many files, with names that need escaping,
// empty files and padding. What is padding or empty is never asked for.
func TestFiles(t *testing.T) {
	t.Parallel()
	c := newContent(t, "the dir", 32*kib,
		metainfo.File{Path: []string{"empty"}},
		metainfo.File{Path: []string{"a b", "50%"}, Length: 100_001},
		metainfo.File{Path: []string{"b pad", "31071"}, Length: 31_071, Pad: true},
		metainfo.File{Path: []string{"ä", "?x=1#y"}, Length: 65_536},
		metainfo.File{Path: []string{"one"}, Length: 1},
		metainfo.File{Path: []string{"two"}, Length: 2},
		metainfo.File{Path: []string{"z", "empty"}},
		metainfo.File{Path: []string{"big"}, Length: 3*mib + 7},
	)
	for _, slash := range []string{"", "/"} {
		s := serve(t, c, nil)
		leech(t, c, 1, []string{s.URL + slash}).complete()
		s.mu.Lock()
		for _, r := range s.requests {
			if strings.Contains(r.URL.Path, "pad") || strings.Contains(r.URL.Path, "empty") {
				t.Errorf("%s was asked for", r.URL.Path)
			}
		}
		s.mu.Unlock()
	}
}

// TestSecrets: the user and the query of a URL go to the server and nowhere else.
func TestSecrets(t *testing.T) {
	t.Parallel()
	c := single(t, mib, 64*kib)
	s := serve(t, c, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		if user == "me" && password == "hidden1" && r.URL.Query().Get("sig") == "hidden2" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	url := strings.Replace(s.URL, "http://", "http://me:hidden1@", 1)
	l := leech(t, c, 1, []string{url + "/file.bin?sig=no-hidden", url + "/file.bin?sig=hidden2"})
	l.complete()
	l.await("the wrong one is dropped", func() bool { return strings.Contains(l.log.String(), "web seed dropped") })
	if strings.Contains(l.log.String(), "hidden") {
		t.Error("a secret is in the log")
	}
}

// TestPlaces: a web seed takes no place of a peer, and nobody is told of it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	c := single(t, 3*mib, 64*kib)
	s := serve(t, c, nil)
	s.rate = mib
	first := leech(t, c, 1, []string{s.URL + "/file.bin"})
	few := func(cfg *peer.Config) { cfg.MaxConnsPerTorrent = 1 }
	l := leechWith(t, c, 2, few, []string{s.URL + "/file.bin"}, first.session.Addr().String())
	l.await("a peer and a web seed", func() bool { return len(l.Remotes()) == 2 })
	if st := l.Stats(); st.Incoming != 0 {
		t.Errorf("%d remotes that dialed us, want none", st.Incoming)
	}
	if got := strings.Join(list(t, l.session.Addr().String()), " "); got != "1 "+first.session.Addr().String() {
		t.Errorf("LIST says %q", got)
	}
	l.complete()
}

// list asks a peer whom it knows: how many, and their addresses.
func list(t *testing.T, addr string) (says []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("LIST\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) >= 8 {
		n := binary.BigEndian.Uint32(b[4:])
		words := strings.Fields(string(b[8 : 8+n]))
		if says = append(says, words[0]); len(words) == 3 {
			says[len(says)-1] = net.JoinHostPort(words[1], words[2])
		}
		b = b[8+n:]
	}
	return says
}

// TestSpare: the fifth URL takes over where the four before it are of no use.
func TestSpare(t *testing.T) {
	t.Parallel()
	c := single(t, mib, 64*kib)
	s := serve(t, c, nil)
	none := s.URL + "/none"
	l := leech(t, c, 1, []string{none + "1", none + "2", none + "3", none + "4", s.URL + "/file.bin"})
	l.complete()
	if n := strings.Count(l.log.String(), "web seed dropped"); n != 4 {
		t.Errorf("%d URLs were dropped, want 4", n)
	}
}

// TestStop ends a torrent in the middle of a response that does not.
func TestStop(t *testing.T) {
	t.Parallel()
	c := single(t, 8*mib, 64*kib)
	gone := make(chan struct{}, 100)
	s := serve(t, c, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n < 2 {
			return false
		}
		<-r.Context().Done()
		gone <- struct{}{}
		return true
	})
	l := leech(t, c, 1, []string{s.URL + "/file.bin"})
	l.await("a request that hangs", func() bool { n, _ := s.count(); return n > 2 })
	begun := time.Now()
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-gone
	if took := time.Since(begun); took > patience/4 {
		t.Errorf("it took %v to stop", took)
	}
}

// TestPeersToo: who has no web seeds gets all from those who have, and the books of
// both add up.
func TestPeersToo(t *testing.T) {
	t.Parallel()
	c := single(t, 8*mib, 256*kib)
	s := serve(t, c, nil)
	s.rate = 8 * mib
	first := leech(t, c, 1, []string{s.URL + "/file.bin"})
	second := leech(t, c, 2, nil, first.session.Addr().String())
	first.complete()
	second.complete()
	if n := first.Stats().FromWebSeeds; n != int64(len(c.all)) {
		t.Errorf("%d bytes came from the web seed, want %d", n, len(c.all))
	}
	if n := second.Stats().FromWebSeeds; n != 0 {
		t.Errorf("%d bytes of one without web seeds came from some", n)
	}
}
