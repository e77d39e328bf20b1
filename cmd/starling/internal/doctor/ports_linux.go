package doctor

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// States of a socket that holds a port, as /proc/net writes them.
const (
	stateListen = "0A" // TCP
	stateOpen   = "07" // UDP
)

// owners are the programs that hold a port, in the order of their process ids. Those
// of other users are seen by root only.
func owners(p Port) []program {
	_, port, err := net.SplitHostPort(p.Addr)
	if err != nil {
		return nil
	}
	n, err := net.LookupPort(p.Network, port)
	if err != nil {
		return nil
	}
	state := stateListen
	if p.Network == "udp" {
		state = stateOpen
	}
	sockets := map[string]bool{}
	for _, table := range []string{p.Network, p.Network + "6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for _, inode := range holders(string(text), n, state) {
			sockets["socket:["+inode+"]"] = true
		}
	}
	return programsWith(sockets)
}

// holders are the inodes of the sockets of a table of /proc/net that have a local
// port and a state.
func holders(table string, port int, state string) []string {
	var out []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != state {
			continue
		}
		_, hex, ok := strings.Cut(f[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); ok && err == nil && int(n) == port {
			out = append(out, f[9])
		}
	}
	return out
}

// programsWith are the processes that have one of the sockets open.
func programsWith(sockets map[string]bool) []program {
	var out []program
	if len(sockets) == 0 {
		return nil
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	for _, dir := range dirs {
		files, err := os.ReadDir(dir + "/fd")
		if err != nil {
			continue // another user's, or it has ended
		}
		for _, f := range files {
			link, err := os.Readlink(dir + "/fd/" + f.Name())
			if err == nil && sockets[link] {
				name, _ := os.ReadFile(dir + "/comm")
				pid, _ := strconv.Atoi(filepath.Base(dir)) // a number, by the pattern
				out = append(out, program{pid, strings.TrimSpace(string(name))})
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b program) int { return a.pid - b.pid })
	return out
}
