package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
)

// The resume file, all numbers big-endian:
//
//	 0  8 bytes   magic
//	 8  uint32    version
//	12  20 bytes  info-hash
//	32  uint64    piece length
//	40  uint64    total length
//	48  uint32    number of pieces
//	52  uint32    number of files
//	56  uint8     flags
//	57  ...       bitset of durable pieces
//	    ...       bitset of wanted files
//	    ...       if sealed, for each file: int64 size (-1: not there),
//	              int64 modification time, nanoseconds since 1970
//	    uint32    CRC-32C of everything before
const (
	resumeMagic   = "starlres"
	resumeVersion = 1
	resumeHead    = 57

	flagUnchecked = 1 << 0
	flagSealed    = 1 << 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errResume is why a resume file is not believed. The data is then hashed
// again, nothing is lost.
var errResume = errors.New("resume file is damaged or of another version")

// resume is what a resume file says.
type resume struct {
	infoHash [20]byte
	pieceLen int64
	total    int64
	pieces   int
	have     bitset // durable pieces
	wanted   bitset // files
	// unchecked: data of unknown worth lies there, have says nothing.
	unchecked bool
	// stats, if not nil, are the files as they were after the last write.
	stats []fileStat
}

// fileStat is what tells that a file has been left alone.
type fileStat struct {
	size  int64 // -1: not there
	mtime int64 // nanoseconds since 1970
}

var noFile = fileStat{size: -1}

func stamp(t time.Time) int64 { return t.UnixNano() }

// encode returns the file's bytes. files is the number of files.
func (r *resume) encode(files int) []byte {
	var flags byte
	if r.unchecked {
		flags |= flagUnchecked
	}
	if r.stats != nil {
		flags |= flagSealed
	}
	b := make([]byte, 0, resumeHead+len(r.have)+len(r.wanted)+16*len(r.stats)+4)
	b = append(b, resumeMagic...)
	b = binary.BigEndian.AppendUint32(b, resumeVersion)
	b = append(b, r.infoHash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.pieceLen))
	b = binary.BigEndian.AppendUint64(b, uint64(r.total))
	b = binary.BigEndian.AppendUint32(b, uint32(r.pieces))
	b = binary.BigEndian.AppendUint32(b, uint32(files))
	b = append(b, flags)
	b = append(b, r.have...)
	b = append(b, r.wanted...)
	for _, st := range r.stats {
		b = binary.BigEndian.AppendUint64(b, uint64(st.size))
		b = binary.BigEndian.AppendUint64(b, uint64(st.mtime))
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// parseResume reads a resume file. Whatever is not exactly what encode writes
// is an errResume. The result shares b's memory, and is bounded by it.
func parseResume(b []byte) (*resume, error) {
	if len(b) < resumeHead+4 || string(b[:8]) != resumeMagic ||
		binary.BigEndian.Uint32(b[8:]) != resumeVersion {
		return nil, errResume
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errResume
	}
	r := &resume{infoHash: [20]byte(b[12:32])}
	pieceLen, total := binary.BigEndian.Uint64(b[32:]), binary.BigEndian.Uint64(b[40:])
	pieces, files := uint64(binary.BigEndian.Uint32(b[48:])), uint64(binary.BigEndian.Uint32(b[52:]))
	flags := b[56]
	haveLen, wantedLen := (pieces+7)/8, (files+7)/8
	want := resumeHead + haveLen + wantedLen
	if flags&flagSealed != 0 {
		want += 16 * files
	}
	if flags&^(flagUnchecked|flagSealed) != 0 || pieceLen > math.MaxInt64 ||
		total > math.MaxInt64 || uint64(len(body)) != want {
		return nil, errResume
	}
	r.pieceLen, r.total, r.pieces = int64(pieceLen), int64(total), int(pieces)
	r.unchecked = flags&flagUnchecked != 0
	rest := body[resumeHead:]
	r.have, r.wanted, rest = bitset(rest[:haveLen:haveLen]), bitset(rest[haveLen:haveLen+wantedLen]), rest[haveLen+wantedLen:]
	if spare := pieces % 8; spare != 0 && r.have[haveLen-1]<<spare != 0 {
		return nil, errResume
	}
	if flags&flagSealed != 0 {
		r.stats = make([]fileStat, files)
		for i := range r.stats {
			r.stats[i].size = int64(binary.BigEndian.Uint64(rest[16*i:]))
			r.stats[i].mtime = int64(binary.BigEndian.Uint64(rest[16*i+8:]))
		}
	}
	return r, nil
}
