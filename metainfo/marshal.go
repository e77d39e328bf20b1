package metainfo

import (
	"cmp"
	"slices"

	"starling/internal/benc"
)

// Marshal returns the .torrent file, canonical bencode with InfoBytes exactly
// as they are: Parse and Marshal of a file change at most what was left out.
// InfoBytes must be set, and no piece layer be missing.
func (t *Torrent) Marshal() []byte {
	fields := slices.Clone(t.Extra)
	put := func(key string, value []byte) { fields = append(fields, Field{key, value}) }
	if t.Announce != "" {
		put("announce", benc.AppendString(nil, t.Announce))
	}
	if len(t.AnnounceList) > 0 {
		v := []byte{'l'}
		for _, tier := range t.AnnounceList {
			v = appendStrings(v, tier)
		}
		put("announce-list", append(v, 'e'))
	}
	if t.Comment != "" {
		put("comment", benc.AppendString(nil, t.Comment))
	}
	if t.CreatedBy != "" {
		put("created by", benc.AppendString(nil, t.CreatedBy))
	}
	if t.CreationDate != 0 {
		put("creation date", benc.AppendInt(nil, t.CreationDate))
	}
	put("info", t.InfoBytes)
	if len(t.Nodes) > 0 {
		v := []byte{'l'}
		for _, n := range t.Nodes {
			v = benc.AppendString(append(v, 'l'), n.Host)
			v = append(benc.AppendInt(v, int64(n.Port)), 'e')
		}
		put("nodes", append(v, 'e'))
	}
	if t.Info.HasV2() {
		put(layersKey, t.appendLayers(nil))
	}
	if len(t.URLList) > 0 {
		put("url-list", appendStrings(nil, t.URLList))
	}
	slices.SortFunc(fields, func(a, b Field) int { return cmp.Compare(a.Key, b.Key) })

	size := 2
	for _, f := range fields {
		size += len(f.Key) + len("1234567:") + len(f.Value)
	}
	out := append(make([]byte, 0, size), 'd')
	for _, f := range fields {
		out = append(benc.AppendString(out, f.Key), f.Value...)
	}
	return append(out, 'e')
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, 'l')
	for _, s := range list {
		dst = benc.AppendString(dst, s)
	}
	return append(dst, 'e')
}
