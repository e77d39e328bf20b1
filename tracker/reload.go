package tracker

import (
	"fmt"
	"sync"
	"time"

	"starling/tracker/swarm"
)

// folder is the torrents folder in use. One goroutine reads it at a time, so that a
// change of folder and the regular look at it do not undo each other.
type folder struct {
	mu   sync.Mutex // locks of Torrents and of the shards are taken under it
	dir  string     // "": none
	read time.Time
}

// lookEvery is how often at most the folder is read for those who ask for what it lacks.
const lookEvery = 100 * time.Millisecond

// Reload takes in what can change while the server serves: the rules of Swarm but
// MaxSwarms, and TorrentsDir. Everything else of cfg must be as it was. It changes
// nothing if cfg is not valid or the folder cannot be read. Announces are answered
// meanwhile.
func (s *Server) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if err := s.setFolder(cfg.TorrentsDir); err != nil {
		return fmt.Errorf("torrents folder: %w", err)
	}
	rules := cfg.Swarm
	s.minInterval.Store(int64(rules.MinInterval))
	s.shards.setRules(rules)
	s.discovery.setTTL(rules.TTL)
	if s.reports != nil {
		s.reports.setRules(&rules)
	}
	return nil
}

// setFolder reads another folder in place of the one before.
func (s *Server) setFolder(dir string) error {
	f := &s.folder
	f.mu.Lock()
	defer f.mu.Unlock()
	if dir == f.dir {
		return nil
	}
	if dir == "" {
		s.torrents.forgetFolder()
	} else if err := s.torrents.scan(dir, s.log); err != nil {
		return err
	}
	f.dir, f.read = dir, time.Now()
	return nil
}

// rescan looks at the folder again.
func (s *Server) rescan() {
	s.folder.mu.Lock()
	defer s.folder.mu.Unlock()
	s.readFolder()
}

// lookAgain reads the folder for somebody who asks for a torrent that is not known:
// it may have been written just now. It says whether another try is worth it. Askers
// wait for one another, so that all of them see what the first has found.
func (s *Server) lookAgain() bool {
	f := &s.folder
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dir == "" {
		return false
	}
	if time.Since(f.read) >= lookEvery {
		s.readFolder()
	}
	return true
}

// readFolder needs the folder's mu.
func (s *Server) readFolder() {
	f := &s.folder
	if f.dir == "" {
		return
	}
	if err := s.torrents.scan(f.dir, s.log); err != nil {
		s.log.Warn("torrents folder not read", "err", err)
	}
	f.read = time.Now()
}

// forgetFolder drops the torrents of the folder.
func (t *Torrents) forgetFolder() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, e := range t.byName {
		if e.raw == nil {
			t.drop(name)
		}
	}
	clear(t.bad)
}

// setRules changes the rules of all stores, one after the other.
func (s *shards) setRules(rules swarm.Config) {
	for i := range s.all {
		sh := &s.all[i]
		sh.mu.Lock()
		sh.store.SetRules(rules)
		sh.mu.Unlock()
	}
}

func (d *discovery) setTTL(ttl time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ttl = ttl
}
