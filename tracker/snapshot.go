package tracker

import (
	"bufio"
	"context"
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
//	8  "STRLTRK" and the version, 2
//	8  when it was written, seconds of Unix time
//	8  n
//	n  records of package fleet
//	n  records of package swarm
//	4  CRC-32C of all before
//
// Version 1 has neither the n nor records of package fleet.
const (
	snapshotMagic   = "STRLTRK\x02"
	snapshotMagic1  = "STRLTRK\x01"
	snapshotHeader  = len(snapshotMagic) + 8
	snapshotTrailer = 4
	// maxSnapshot bounds what is read: some 25 M peers.
	maxSnapshot = 1 << 30
	// staleSnapshot is the age from which on a snapshot's peers are not worth
	// telling anyone about. The download counts are kept, and the hosts that were
	// done, as such that have left.
	staleSnapshot = time.Hour
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errSnapshot = errors.New("damaged tracker snapshot")

// saveRegularly writes the snapshot at its interval, apart from all else that is due by
// time: a disk may take long.
func (s *Server) saveRegularly(ctx context.Context) {
	due := time.NewTicker(s.cfg.SnapshotEvery)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
		}
		if err := s.save(); err != nil {
			s.log.Error("snapshot not written", "err", err)
		}
	}
}

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
	// One name, so that crashes in the middle leave one file behind and not one each.
	temp := s.cfg.StatePath + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // after the rename there is no such file
	err = errors.Join(s.writeSnapshot(f, time.Now()), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temp, s.cfg.StatePath); err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.cfg.StatePath))
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
	b = binary.BigEndian.AppendUint64(b, 0)
	if s.reports != nil {
		b = s.reports.appendSnapshot(b, s.shards.now())
	}
	binary.BigEndian.PutUint64(b[snapshotHeader:], uint64(len(b)-snapshotHeader-8))
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
	var got restored
	if err == nil {
		got, err = s.restore(b, time.Now())
	}
	log := s.log.With("path", s.cfg.StatePath, "peers", got.peers, "done", got.done)
	if err != nil {
		log.Warn("tracker snapshot not used in full", "err", err)
		return
	}
	log.Info("tracker snapshot read")
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

// restored counts what was in a snapshot: peers, and hosts that have all.
type restored struct{ peers, done int }

// restore takes in a snapshot. The sum is checked before anything is believed.
func (s *Server) restore(b []byte, now time.Time) (got restored, err error) {
	if len(b) < snapshotHeader+snapshotTrailer || string(b[:len(snapshotMagic)]) != snapshotMagic && string(b[:len(snapshotMagic)]) != snapshotMagic1 {
		return got, fmt.Errorf("%w: no snapshot of this version", errSnapshot)
	}
	body, trailer := b[:len(b)-snapshotTrailer], b[len(b)-snapshotTrailer:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(trailer) {
		return got, fmt.Errorf("%w: the sum is wrong", errSnapshot)
	}
	away := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(body[len(snapshotMagic):])), 0))
	fresh := away.Abs() < staleSnapshot
	old := string(b[:len(snapshotMagic)]) == snapshotMagic1
	if body = body[snapshotHeader:]; !old {
		if body, err = s.restoreDone(body, away, fresh, &got); err != nil {
			return got, err
		}
	}
	for len(body) > 0 {
		h, n, err := swarm.NextSwarm(body)
		if err != nil {
			return got, err
		}
		if s.shards.full() {
			return got, swarm.ErrFull
		}
		peers, err := s.shards.restore(h, body[:n], fresh)
		if err != nil {
			return got, err
		}
		got.peers += peers
		body = body[n:]
	}
	return got, nil
}

// restoreDone takes in the hosts that have all, and returns what comes after them. A
// tracker that shows no fleet passes them over.
func (s *Server) restoreDone(body []byte, away time.Duration, fresh bool, got *restored) (rest []byte, err error) {
	if len(body) < 8 || binary.BigEndian.Uint64(body) > uint64(len(body)-8) {
		return nil, fmt.Errorf("%w: it ends in its list of hosts", errSnapshot)
	}
	n := 8 + int(binary.BigEndian.Uint64(body))
	if s.reports != nil {
		got.done, err = s.reports.restore(s.shards.now(), body[8:n], away, fresh)
	}
	return body[n:], err
}
