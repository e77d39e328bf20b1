package tracker

import (
	"bytes"
	"slices"

	"starling/metainfo"
	"starling/tracker/fleet"
)

// names is what a swarm is called.
type names struct {
	name, title string
	size        int64 // 0: not known
	hashes      []metainfo.Hash
	served      bool // the tracker has its torrent
}

func (e *torrent) names() names {
	return names{name: e.name, title: e.title, size: e.size, hashes: e.hashes(), served: true}
}

// primary is the infohash under which a torrent's hosts are kept: a hybrid that the
// tracker serves has two.
func (t *Torrents) primary(h metainfo.Hash) metainfo.Hash {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.primaries[h]; ok {
		return p
	}
	return h
}

// namesOf is what the swarm of a primary infohash is called; of several torrents
// files the first name.
func (t *Torrents) namesOf(h metainfo.Hash) names {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := names{hashes: []metainfo.Hash{h}}
	for _, e := range t.byName {
		if e.hash == h && (!n.served || e.name < n.name) {
			n = e.names()
		}
	}
	return n
}

// allNames are the swarms of the torrents that are served, by primary infohash.
func (t *Torrents) allNames() map[metainfo.Hash]names {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[metainfo.Hash]names, len(t.byName))
	for _, e := range t.byName {
		if n, ok := all[e.hash]; !ok || e.name < n.name {
			all[e.hash] = e.names()
		}
	}
	return all
}

// called are the swarms of a name, by infohash: that of the torrent file of that name,
// else those of the torrents that call themselves so.
func (t *Torrents) called(name string) []names {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byName[name]; e != nil {
		return []names{e.names()}
	}
	found := make(map[metainfo.Hash]names)
	for _, e := range t.byName {
		if n, ok := found[e.hash]; e.title == name && (!ok || e.name < n.name) {
			found[e.hash] = e.names()
		}
	}
	out := make([]names, 0, len(found))
	for _, n := range found {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b names) int { return bytes.Compare(a.hashes[0][:], b.hashes[0][:]) })
	return out
}

// Named is a page of the swarms of a name: that of the torrent file which has it at the
// tracker, else all whose torrents call themselves so.
func (s *Server) Named(name string, offset, limit int) fleet.Swarms {
	all := s.torrents.called(name)
	from := min(max(offset, 0), len(all))
	out := fleet.Swarms{V: 1, Total: len(all), Swarms: []fleet.SwarmInfo{}}
	for _, n := range all[from:min(from+min(max(limit, 0), fleet.MaxSwarmsPage), len(all))] {
		out.Swarms = append(out.Swarms, s.line(&n, n.hashes[0]))
	}
	return out
}
