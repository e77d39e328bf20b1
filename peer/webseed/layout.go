package webseed

import (
	"sort"

	"starling/metainfo"
)

// span is a part of the content that lies in one file.
type span struct {
	file int
	off  int64 // in the file, bytes
	n    int
	pad  bool // zeros, which no server need have
}

// spans cuts n bytes of the content, from off on, at the files' ends. Files
// without content have no part in it.
func spans(in *metainfo.Info, off int64, n int) []span {
	i := sort.Search(len(in.Files), func(i int) bool { return in.Files[i].Offset+in.Files[i].Length > off })
	var parts []span
	for ; n > 0 && i < len(in.Files); i++ {
		f := &in.Files[i]
		m := int(min(int64(n), f.Offset+f.Length-off))
		if m > 0 {
			parts = append(parts, span{file: i, off: off - f.Offset, n: m, pad: f.Pad})
		}
		off, n = off+int64(m), n-m
	}
	return parts
}

// firstFile is the first file with content that is not padding; -1 if there is
// none, of which nothing need be fetched.
func firstFile(in *metainfo.Info) int {
	for i := range in.Files {
		if in.Files[i].Length > 0 && !in.Files[i].Pad {
			return i
		}
	}
	return -1
}
