package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// state is a torrent's state directory with its two locks held.
type state struct {
	disk  disk
	base  *os.Root // D/.starling
	dir   *os.Root // D/.starling/HASH
	dirF  *os.File
	lock  *os.File
	owner *os.File
	hash  string // the info-hash in hex: the owner file's content
}

// Names in the state directory.
const (
	resumeName = "resume"
	resumeTemp = "resume.tmp"
	lockName   = "lock"
	sideName   = "side"
	// maxResume bounds what is read: 2 M pieces and 200,000 files with
	// their times need 3.5 MB.
	maxResume = 64 << 20
)

// openState makes the directories as needed and takes the locks. The error is
// an ErrLocked if another process, or another Store, has one of them.
func openState(root *os.Root, part string, infoHash [20]byte, d disk) (_ *state, err error) {
	s := &state{disk: d, hash: hex.EncodeToString(infoHash[:])}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.base, err = privateDir(root, stateName); err != nil {
		return nil, err
	}
	if s.dir, err = privateDir(s.base, s.hash); err != nil {
		return nil, err
	}
	if s.dirF, err = s.dir.Open("."); err != nil {
		return nil, err
	}
	if s.lock, err = locked(s.dir, lockName); err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte(part))
	s.owner, err = locked(s.base, hex.EncodeToString(key[:8])+".owner")
	return s, err
}

// privateDir opens a directory of ours, made if missing.
func privateDir(root *os.Root, name string) (*os.Root, error) {
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	fi, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(fi, path.Join(root.Name(), name)); err != nil {
		return nil, err
	}
	sub, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// What was opened must be what was looked at.
	if got, err := sub.Stat("."); err != nil || !os.SameFile(fi, got) {
		sub.Close()
		return nil, fmt.Errorf("%s: %w: replaced while being opened", path.Join(root.Name(), name), ErrPermission)
	}
	return sub, nil
}

// locked opens a file and locks it. One that was removed between the two is
// not the file that the next process would lock, so the steps are repeated.
func locked(root *os.Root, name string) (*os.File, error) {
	for {
		f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := lockFile(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path.Join(root.Name(), name), err)
		}
		have, err1 := f.Stat()
		want, err2 := root.Lstat(name)
		if err1 == nil && err2 == nil && os.SameFile(have, want) {
			return f, nil
		}
		f.Close()
		if err2 == nil {
			return nil, fmt.Errorf("%s: %w: not a plain file", path.Join(root.Name(), name), ErrPermission)
		}
	}
}

// load reads the resume file; fs.ErrNotExist if there is none, errResume if it
// is not to be believed.
func (s *state) load() (*resume, error) {
	f, err := s.dir.Open(resumeName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxResume+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxResume {
		return nil, errResume
	}
	return parseResume(b)
}

// save replaces the resume file, durably.
func (s *state) save(b []byte) error {
	f, err := s.disk.openFile(s.dir, resumeTemp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.disk.writeAt(f, b, 0); err != nil {
		return err
	}
	if err := s.disk.sync(f); err != nil {
		return err
	}
	if err := s.disk.rename(s.dirF, resumeTemp, resumeName, replace); err != nil {
		return err
	}
	return s.disk.sync(s.dirF)
}

// owned reports whether the part file's data was last written by us.
func (s *state) owned() bool {
	b := make([]byte, len(s.hash)+1)
	n, _ := s.owner.ReadAt(b, 0)
	return string(b[:n]) == s.hash
}

// own makes it so, durably. A torn write is nobody's name.
func (s *state) own() error {
	if s.owned() {
		return nil
	}
	if err := s.disk.truncate(s.owner, int64(len(s.hash))); err != nil {
		return err
	}
	if err := s.disk.writeAt(s.owner, []byte(s.hash), 0); err != nil {
		return err
	}
	return s.disk.sync(s.owner)
}

// discard removes what a failed Open has made, if it made it.
func (s *state) discard(root *os.Root) {
	if _, err := s.dir.Lstat(resumeName); errors.Is(err, fs.ErrNotExist) {
		if s.dir.Remove(lockName) == nil {
			s.base.Remove(s.hash)
		}
	}
	if fi, err := s.owner.Stat(); err == nil && fi.Size() == 0 {
		s.base.Remove(path.Base(s.owner.Name()))
	}
	root.Remove(stateName) // fails while anything is left in it
}

// close drops the locks.
func (s *state) close() {
	for _, f := range []*os.File{s.dirF, s.lock, s.owner} {
		if f != nil {
			f.Close()
		}
	}
	for _, r := range []*os.Root{s.dir, s.base} {
		if r != nil {
			r.Close()
		}
	}
}
