package doctor

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"starling/internal/units"
)

// The trial of a disk: at most so many bytes, for about so long, and then in the same
// time again at most so many small writes that are each made durable.
const (
	diskSample = 64 << 20
	diskTime   = 2 * time.Second
	diskSyncs  = 9
	smallWrite = 4 << 10
)

// What a disk should be able to do.
const (
	spaceLeast  = 256 << 20
	spacePlenty = 2 << 30
	filesPlenty = 1000
	writeLeast  = 5 << 20 // bytes a second
	writePlenty = 50 << 20
	syncLong    = 100 * time.Millisecond
	syncTooLong = time.Second
)

// volume is the file system that holds a directory; sizes are bytes.
type volume struct {
	known            bool
	kind             string
	total, free      uint64
	files, filesFree uint64 // 0 files: it has no fixed number
	readOnly         bool
}

// speed is what a trial measured; sync is the median.
type speed struct {
	write float64 // bytes a second, durable
	sync  time.Duration
}

// disk looks at the directory that content is fetched to, or where it is not there
// yet at the one that will hold it.
func disk(ctx context.Context, dir string) []Finding {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // "." says little in a report that is read elsewhere
	}
	at, err := existing(dir)
	if err != nil {
		return one(judgePlace(dir, err))
	}
	v := statDisk(at)
	out := judgeVolume(dir, v)
	if v.readOnly {
		return out
	}
	size := int64(diskSample)
	if v.known {
		size = min(size, int64(v.free/4))
	}
	s, err := try(ctx, at, size)
	return append(out, judgeSpeed(dir, s, err))
}

// existing is dir, or the nearest directory above it that exists.
func existing(dir string) (string, error) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return at, nil
		case err == nil:
			return "", errors.New(at + " is no directory")
		case !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at):
			return "", err
		}
	}
}

// judgePlace says what it means that there is no way to a directory.
func judgePlace(dir string, err error) Finding {
	cure := "create it, or name another with --data"
	if errors.Is(err, fs.ErrPermission) {
		cure = "let the user that runs starling reach it (chmod, chown), or name another with --data"
	}
	return problem("disk", cure, "%s: %v", dir, pathless(err))
}

// pathless is an error without the path that is said before it.
func pathless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// try writes a file of at most size bytes to dir, measures, and removes it.
func try(ctx context.Context, dir string, size int64) (s speed, err error) {
	f, err := os.CreateTemp(dir, ".starling-doctor-*")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block := make([]byte, 1<<20)
	rng := rand.NewChaCha8([32]byte{})
	rng.Read(block) // what compresses would measure something else
	began, written := time.Now(), int64(0)
	for written < size && time.Since(began) < diskTime && ctx.Err() == nil {
		n, err := f.Write(block[:min(int64(len(block)), size-written)])
		if written += int64(n); err != nil {
			return s, err
		}
	}
	if err := f.Sync(); err != nil {
		return s, err
	}
	s.write = float64(written) / max(time.Since(began).Seconds(), 1e-9)
	var took []time.Duration
	first := time.Now()
	for len(took) == 0 || len(took) < diskSyncs && time.Since(first) < diskTime && ctx.Err() == nil {
		began := time.Now()
		if _, err := f.Write(block[:smallWrite]); err != nil {
			return s, err
		}
		if err := f.Sync(); err != nil {
			return s, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	s.sync = took[len(took)/2]
	return s, nil
}

// kinds of file systems that are a bad place for content, and why.
var kinds = map[string]struct{ why, cure string }{
	"tmpfs":   {"is memory, and gone after a restart", "name a directory on a disk with --data"},
	"ramfs":   {"is memory, and gone after a restart", "name a directory on a disk with --data"},
	"overlay": {"is a container's own layer, slow to write and gone with it", "mount a volume for the content"},
	"nfs":     {"is over the network, which each piece then crosses twice", "fetch to a local disk"},
	"smb":     {"is over the network, which each piece then crosses twice", "fetch to a local disk"},
	"smb2":    {"is over the network, which each piece then crosses twice", "fetch to a local disk"},
	"cifs":    {"is over the network, which each piece then crosses twice", "fetch to a local disk"},
	"9p":      {"is shared from another machine, and slow", "fetch to a local disk"},
	"vfat":    {"takes no file above 4 GiB and no symbolic link", "use a file system of the system's own, such as ext4 or xfs"},
	"exfat":   {"takes no symbolic link and no execute permission", "use a file system of the system's own, such as ext4 or xfs"},
}

func judgeVolume(dir string, v volume) []Finding {
	if !v.known {
		return one(ok("file system", "of %s: not known on this system", dir))
	}
	var out []Finding
	if v.readOnly {
		return one(problem("file system", "mount -o remount,rw it, or name another directory with --data", "%s is on %s that is mounted read-only", dir, v.kind))
	}
	if bad, is := kinds[v.kind]; is {
		out = append(out, warning("file system", bad.cure, "%s is on %s, which %s", dir, v.kind, bad.why))
	} else {
		out = append(out, ok("file system", "%s is on %s", dir, v.kind))
	}
	space := units.FormatBytes(int64(v.free)) + " free of " + units.FormatBytes(int64(v.total))
	const cure = "delete what is not needed, or name a directory on another disk with --data"
	switch {
	case v.free < spaceLeast:
		return append(out, problem("disk space", cure, "%s", space))
	case v.files > 0 && v.filesFree < filesPlenty:
		return append(out, problem("disk space", "delete files that are not needed: the file system has no inodes left for new ones", "%s, and room for %d files", space, v.filesFree))
	case v.free < spacePlenty:
		return append(out, warning("disk space", cure, "%s", space))
	}
	return append(out, ok("disk space", "%s", space))
}

func judgeSpeed(dir string, s speed, err error) Finding {
	const check, cure = "disk speed", "look for a failing or overloaded disk (dmesg, iostat -x), or name another with --data"
	found := units.FormatRate(s.write) + " written, " + units.FormatDuration(s.sync) + " to make a small write durable"
	if s.sync < time.Second {
		found = units.FormatRate(s.write) + " written, " + s.sync.Round(time.Microsecond).String() + " to make a small write durable"
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return problem(check, "delete what is not needed, or name another directory with --data; then run it again", "%s: not tried: %v", dir, pathless(err))
	case errors.Is(err, fs.ErrPermission):
		return problem(check, "give the user that runs starling the directory: chown", "%s: permission denied", dir)
	case err != nil:
		return problem(check, cure, "%s: %v", dir, pathless(err))
	case s.write < writeLeast || s.sync >= syncTooLong:
		return problem(check, cure, "%s", found)
	case s.write < writePlenty || s.sync >= syncLong:
		return warning(check, cure, "%s", found)
	}
	return ok(check, "%s", found)
}
