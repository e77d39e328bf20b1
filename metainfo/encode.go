package metainfo

import "starling/internal/benc"

// appendInfo appends the info dictionary, its keys in byte order.
func (b *Builder) appendInfo(dst []byte) []byte {
	in := &b.info
	v1, v2 := in.HasV1(), in.HasV2()
	dst = append(dst, 'd')
	if v1 && !in.Multi {
		dst = appendAttr(dst, &in.Files[0])
	}
	if v2 {
		dst = benc.AppendString(dst, "file tree")
		dst = appendTree(dst, in)
	}
	switch {
	case v1 && in.Multi:
		dst = append(benc.AppendString(dst, "files"), 'l')
		for i := range in.Files {
			dst = appendFile(dst, &in.Files[i])
		}
		dst = append(dst, 'e')
	case v1:
		dst = benc.AppendString(dst, "length")
		dst = benc.AppendInt(dst, in.Files[0].Length)
	}
	if v2 {
		dst = benc.AppendString(dst, "meta version")
		dst = benc.AppendInt(dst, 2)
	}
	dst = benc.AppendString(dst, "name")
	dst = benc.AppendString(dst, in.Name)
	dst = benc.AppendString(dst, "piece length")
	dst = benc.AppendInt(dst, in.PieceLength)
	if v1 {
		dst = benc.AppendString(dst, "pieces")
		dst = benc.AppendBytes(dst, in.Pieces)
	}
	if b.Private {
		dst = benc.AppendString(dst, "private")
		dst = benc.AppendInt(dst, 1)
	}
	return append(dst, 'e')
}

// appendFile appends a file in v1's list.
func appendFile(dst []byte, f *File) []byte {
	dst = appendAttr(append(dst, 'd'), f)
	dst = benc.AppendString(dst, "length")
	dst = benc.AppendInt(dst, f.Length)
	dst = benc.AppendString(dst, "path")
	dst = appendStrings(dst, f.Path)
	return append(appendTarget(dst, f), 'e')
}

func appendAttr(dst []byte, f *File) []byte {
	if attr := f.Attr(); attr != "" {
		dst = benc.AppendString(dst, "attr")
		dst = benc.AppendString(dst, attr)
	}
	return dst
}

func appendTarget(dst []byte, f *File) []byte {
	if f.Symlink != nil {
		dst = benc.AppendString(dst, "symlink path")
		dst = appendStrings(dst, f.Symlink)
	}
	return dst
}

// appendTree appends the file tree. The files are in the order of their paths,
// which is that of its keys at every level.
func appendTree(dst []byte, in *Info) []byte {
	dst = append(dst, 'd')
	var open []string // the directories that have been begun and not ended
	for i := range in.Files {
		f := &in.Files[i]
		if f.Pad {
			continue
		}
		path := f.Path
		if path == nil {
			path = []string{in.Name}
		}
		above := path[:len(path)-1]
		common := 0
		for common < min(len(open), len(above)) && open[common] == above[common] {
			common++
		}
		for ; len(open) > common; open = open[:len(open)-1] {
			dst = append(dst, 'e')
		}
		for _, dir := range above[common:] {
			dst = append(benc.AppendString(dst, dir), 'd')
			open = append(open, dir)
		}
		dst = benc.AppendString(dst, path[len(path)-1])
		dst = append(dst, "d0:"...)
		dst = append(appendLeaf(dst, f), 'e')
	}
	for range open {
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

// appendLeaf appends what the tree says of a file.
func appendLeaf(dst []byte, f *File) []byte {
	dst = appendAttr(append(dst, 'd'), f)
	dst = benc.AppendString(dst, "length")
	dst = benc.AppendInt(dst, f.Length)
	if f.Length > 0 {
		dst = benc.AppendString(dst, "pieces root")
		dst = benc.AppendBytes(dst, f.PiecesRoot[:])
	}
	return append(appendTarget(dst, f), 'e')
}
