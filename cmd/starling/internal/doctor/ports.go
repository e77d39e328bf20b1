package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
)

// Port is where something of ours is to listen.
type Port struct {
	Network string // tcp or udp
	Addr    string // HOST:PORT; port 0 is always free and not looked at
	For     string // what is to listen there
	Option  string // the option that chooses another
}

// program is one that runs.
type program struct {
	pid  int
	name string
}

func ports(ctx context.Context, list []Port) []Finding {
	var out []Finding
	for _, p := range list {
		if _, port, err := net.SplitHostPort(p.Addr); err != nil || port == "0" {
			continue
		}
		err := tryListen(ctx, p)
		var holders []program
		if errors.Is(err, syscall.EADDRINUSE) {
			holders = owners(p)
		}
		out = append(out, judgePort(p, err, holders))
	}
	return out
}

// tryListen listens for a moment.
func tryListen(ctx context.Context, p Port) error {
	var lc net.ListenConfig
	if p.Network == "udp" {
		c, err := lc.ListenPacket(ctx, p.Network, p.Addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	ln, err := lc.Listen(ctx, p.Network, p.Addr)
	if err != nil {
		return err
	}
	return ln.Close()
}

// judgePort says what it means that listening ended with err; holders are the programs
// that hold the port, at whatever address, none if that could not be found out.
func judgePort(p Port, err error, holders []program) Finding {
	check := "port " + p.Addr + "/" + p.Network
	another := "choose another with " + p.Option
	names := make([]string, len(holders))
	for i, h := range holders {
		names[i] = fmt.Sprintf("%s (pid %d)", h.name, h.pid)
	}
	who := strings.Join(names, ", ")
	strange := slices.ContainsFunc(holders, func(h program) bool { return h.name != "starling" })
	switch {
	case err == nil:
		return ok(check, "free, for %s", p.For)
	case errors.Is(err, syscall.EADDRINUSE) && len(holders) > 0 && !strange:
		return ok(check, "in use by %s", who)
	case errors.Is(err, syscall.EADDRINUSE) && len(holders) > 0:
		return problem(check, "stop "+who+", or "+another, "needed for %s, and taken by %s", p.For, who)
	case errors.Is(err, syscall.EADDRINUSE):
		return problem(check, "run starling doctor as root to see by whom, or "+another, "needed for %s, and taken by another program", p.For)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return problem(check, another+" above 1023, or give the binary the capability CAP_NET_BIND_SERVICE", "needed for %s, and not permitted", p.For)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return problem(check, another, "needed for %s, and no address of this host", p.For)
	}
	return problem(check, another, "needed for %s: %v", p.For, bare(err))
}

// bare is an error without the addresses and the operation that package net puts
// before it.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
