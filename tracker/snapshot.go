package tracker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"starling/tracker/swarm"
)

// The snapshot's file, numbers big-endian:
//
//	8  "STRLTRK" and the version, 1
//	8  when it was written, seconds of Unix time
//	n  records of package swarm
//	4  CRC-32C of all before
const (
	snapshotMagic   = "STRLTRK\x01"
	snapshotHeader  = len(snapshotMagic) + 8
	snapshotTrailer = 4
	// maxSnapshot bounds what is read: some 25 M peers.
	maxSnapshot = 1 << 30
	// staleSnapshot is the age from which on a snapshot's peers are not worth
	// telling anyone about. The download counts are kept.
	staleSnapshot = time.Hour
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errSnapshot = errors.New("damaged tracker snapshot")

// save writes the snapshot: to a new file, synced, then renamed over the old one,
// so that a crash at any moment leaves one of the two whole.
func (s *Server) save() (err error) {
	defer func() {
		result := 0
		if err != nil {
			result = 1
		}
		s.metrics.snapshots[result].Inc()
	}()
	dir := filepath.Dir(s.cfg.StatePath)
	f, err := os.CreateTemp(dir, filepath.Base(s.cfg.StatePath)+".tmp*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is no such file
	err = errors.Join(s.writeSnapshot(f, time.Now()), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.cfg.StatePath); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeSnapshot writes shard by shard, so that no more than one is locked, and no
// more than one is in memory twice.
func (s *Server) writeSnapshot(w io.Writer, now time.Time) error {
	sum := crc32.New(castagnoli)
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	b := binary.BigEndian.AppendUint64([]byte(snapshotMagic), uint64(now.Unix()))
	for i := range s.shards.all {
		if _, err := out.Write(b); err != nil {
			return err
		}
		b = s.shards.appendSnapshot(i, b[:0])
	}
	_, err := out.Write(b)
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// load reads the snapshot. Whatever is wrong with it, the tracker starts: its
// peers announce again within an interval.
func (s *Server) load() {
	b, err := readSnapshot(s.cfg.StatePath)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var peers int
	if err == nil {
		peers, err = s.restore(b, time.Now())
	}
	if err != nil {
		s.log.Warn("tracker snapshot not used in full", "path", s.cfg.StatePath, "peers", peers, "err", err)
		return
	}
	s.log.Info("tracker snapshot read", "path", s.cfg.StatePath, "peers", peers)
}

func readSnapshot(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSnapshot {
		return nil, fmt.Errorf("%w: not a regular file of at most %d bytes", errSnapshot, maxSnapshot)
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}

// restore takes in a snapshot and returns the number of peers. The sum is checked
// before anything is believed.
func (s *Server) restore(b []byte, now time.Time) (peers int, err error) {
	if len(b) < snapshotHeader+snapshotTrailer || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return 0, fmt.Errorf("%w: no snapshot of this version", errSnapshot)
	}
	body, trailer := b[:len(b)-snapshotTrailer], b[len(b)-snapshotTrailer:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(trailer) {
		return 0, fmt.Errorf("%w: the sum is wrong", errSnapshot)
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(body[len(snapshotMagic):])), 0))
	fresh := age.Abs() < staleSnapshot
	for body = body[snapshotHeader:]; len(body) > 0; {
		h, n, err := swarm.NextSwarm(body)
		if err != nil {
			return peers, err
		}
		if s.shards.full() {
			return peers, swarm.ErrFull
		}
		got, err := s.shards.restore(h, body[:n], fresh)
		if err != nil {
			return peers, err
		}
		peers += got
		body = body[n:]
	}
	return peers, nil
}
