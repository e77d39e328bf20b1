package doctor

import (
	"context"
	"errors"
	"net"
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

func ports(ctx context.Context, list []Port) []Finding {
	var out []Finding
	for _, p := range list {
		if _, port, err := net.SplitHostPort(p.Addr); err != nil || port == "0" {
			continue
		}
		err := tryListen(ctx, p)
		owner := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			owner = owners(p)
		}
		out = append(out, judgePort(p, err, owner))
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

// judgePort says what it means that listening ended with err; owner is who holds
// the port, like "nginx (pid 12)", empty if that could not be found out.
func judgePort(p Port, err error, owner string) Finding {
	check := "port " + p.Addr + "/" + p.Network
	another := "choose another with " + p.Option
	switch {
	case err == nil:
		return ok(check, "free, for %s", p.For)
	case errors.Is(err, syscall.EADDRINUSE) && strings.HasPrefix(owner, "starling "):
		return ok(check, "in use by %s", owner)
	case errors.Is(err, syscall.EADDRINUSE) && owner != "":
		return problem(check, "stop "+owner+", or "+another, "needed for %s, and taken by %s", p.For, owner)
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
