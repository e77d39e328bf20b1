package doctor

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// synchronised asks the kernel whether a time service keeps the clock.
func synchronised() sync {
	var t unix.Timex // no mode: nothing is changed
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return syncUnknown
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return syncNo
	}
	return syncYes
}

// descriptors is the limit of this process, which the runtime has raised to the
// most it may.
func descriptors() limit {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return limit{}
	}
	return limit{known: true, now: int64(min(r.Cur, math.MaxInt64))}
}

// statDisk asks the file system that holds a directory.
func statDisk(dir string) volume {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return volume{}
	}
	size := uint64(s.Bsize)
	v := volume{
		known: true, kind: fileSystems[uint32(s.Type)], total: s.Blocks * size, free: s.Bavail * size,
		files: s.Files, filesFree: s.Ffree, readOnly: s.Flags&unix.ST_RDONLY != 0,
	}
	if v.kind == "" {
		v.kind = "0x" + strconv.FormatUint(uint64(uint32(s.Type)), 16)
	}
	return v
}

// fileSystems are the names of the numbers that statfs gives.
var fileSystems = map[uint32]string{
	unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.F2FS_SUPER_MAGIC: "f2fs",
	0x2fc12fc1: "zfs", unix.TMPFS_MAGIC: "tmpfs", unix.RAMFS_MAGIC: "ramfs", unix.OVERLAYFS_SUPER_MAGIC: "overlay",
	unix.NFS_SUPER_MAGIC: "nfs", unix.SMB_SUPER_MAGIC: "smb", unix.CIFS_SUPER_MAGIC: "cifs", unix.SMB2_SUPER_MAGIC: "smb2",
	unix.CEPH_SUPER_MAGIC: "ceph", unix.V9FS_MAGIC: "9p", unix.FUSE_SUPER_MAGIC: "fuse", 0x0bd00bd0: "lustre", 0x47504653: "gpfs",
	unix.MSDOS_SUPER_MAGIC: "vfat", unix.EXFAT_SUPER_MAGIC: "exfat",
}

// pathMTU is what the kernel knows of the way that a TCP socket's packets take.
func pathMTU(fd uintptr) int {
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return int(info.Pmtu)
}

// hashInstructions reads what the processor can do.
func hashInstructions() instructions {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return instructions{}
	}
	for line := range strings.Lines(string(text)) {
		name, words, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name != "flags" && name != "Features" {
			continue
		}
		in := instructions{known: true}
		for _, w := range strings.Fields(words) {
			in.sha1 = in.sha1 || w == "sha_ni" || w == "sha1"
			in.sha256 = in.sha256 || w == "sha_ni" || w == "sha2"
		}
		return in
	}
	return instructions{known: runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"}
}

// measureMemory reads what the host has, and what a control group leaves of it.
func measureMemory() memory {
	m := memory{goLimit: os.Getenv("GOMEMLIMIT") != ""}
	host := numbersIn("/proc/meminfo")
	if m.available, m.known = host["MemAvailable"]<<10, host["MemAvailable"] > 0; !m.known {
		return m
	}
	m.total = host["MemTotal"] << 10
	if most, used := groupMemory("/sys/fs/cgroup"); most > 0 && most < m.total {
		m.group = most
		m.available = min(m.available, most-min(used, most))
	}
	return m
}

// groupMemory is the bound of the control group at root, 0 if it has none, and what is
// used of it. Pages of files are not counted: the kernel gives them up when memory is
// wanted, and content that has been written is many of them.
func groupMemory(root string) (most, used uint64) {
	for _, g := range []struct{ most, used, stat, prefix string }{
		{"memory.max", "memory.current", "memory.stat", ""},
		{"memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_"},
	} {
		if most = numberIn(filepath.Join(root, g.most)); most == 0 {
			continue
		}
		used = numberIn(filepath.Join(root, g.used))
		stat := numbersIn(filepath.Join(root, g.stat))
		return most, used - min(used, stat[g.prefix+"inactive_file"]+stat[g.prefix+"active_file"])
	}
	return 0, 0
}

// numberIn reads a file that holds a number; 0 if it holds none.
func numberIn(file string) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// numbersIn reads a file of lines that begin with a name and a number.
func numbersIn(file string) map[string]uint64 {
	out := map[string]uint64{}
	text, err := os.ReadFile(file)
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(f[1], 10, 64); err == nil {
			out[strings.TrimSuffix(f[0], ":")] = n
		}
	}
	return out
}
