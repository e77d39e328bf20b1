package lsd

import (
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// scan makes the links what the interfaces are now. Where a link is new, the
// torrents are announced again.
func (a *Announcer) scan(now time.Time, readers *sync.WaitGroup) {
	ifis, err := a.cfg.Interfaces()
	if err != nil {
		a.cfg.Log.Debug("interfaces not read", "error", err)
		return
	}
	want := linksOf(ifis)
	a.mu.Lock()
	old := a.links
	a.mu.Unlock()
	for _, l := range old {
		if !slices.ContainsFunc(want, l.same) {
			a.drop(l)
		}
	}
	for _, l := range want {
		if slices.ContainsFunc(old, l.same) {
			continue
		}
		if l.conn, err = a.cfg.open(l); err != nil {
			a.cfg.Log.Debug("no local discovery on a link", "interface", l.name, "group", l.group, "error", err)
			continue
		}
		a.mu.Lock()
		a.links = append(slices.Clone(a.links), l)
		a.sched.again(now)
		a.mu.Unlock()
		readers.Go(func() { a.read(l) })
	}
}

// read takes the packets of a link until it is closed or fails.
func (a *Announcer) read(l *link) {
	// Any datagram fits: a buffer that is too small is an error on Windows.
	buf := make([]byte, 64<<10)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				a.cfg.Log.Debug("a link failed", "interface", l.name, "group", l.group, "error", err)
			}
			a.drop(l)
			return
		}
		a.receive(l, buf[:n], from.Addr())
	}
}

// drop closes a link, once or twice.
func (a *Announcer) drop(l *link) {
	a.mu.Lock()
	a.links = slices.DeleteFunc(slices.Clone(a.links), func(o *link) bool { return o == l })
	a.mu.Unlock()
	l.conn.Close()
}

func (a *Announcer) closeAll() {
	a.mu.Lock()
	links := a.links
	a.mu.Unlock()
	for _, l := range links {
		a.drop(l)
	}
}
