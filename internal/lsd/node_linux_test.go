package lsd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"

	"starling/metainfo"
)

// nodeEnv makes the test binary a node in a network of its own: it has a
// nodeConfig as JSON.
const nodeEnv = "STARLING_TEST_LSD_NODE"

type nodeConfig struct {
	Port   uint16
	Hashes []string
	// Interfaces are to be used; without names, those that an Announcer takes
	// by itself.
	Interfaces []string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(nodeEnv); text != "" {
		if err := runNode(text); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runNode announces torrents until its standard input ends. It prints lines:
// "joined INTERFACE GROUP" for each link, "found HASH ADDR" for each find, and
// "dialed HASH HOST" for each connection that begins with a BEP 3 handshake.
func runNode(text string) error {
	var cfg nodeConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(args...)
	}
	listener, err := net.Listen("tcp", fmt.Sprint(":", cfg.Port))
	if err != nil {
		return err
	}
	go serve(listener, say)
	lsd := Config{
		Port:  cfg.Port,
		Found: func(h metainfo.Hash, addr netip.AddrPort) { say("found", h, addr) },
		open: func(l *link) (conn, error) {
			c, err := open(l)
			if err == nil {
				say("joined", l.name, l.group)
			}
			return c, err
		},
	}
	if len(cfg.Interfaces) > 0 {
		lsd.Interfaces = Only(cfg.Interfaces...)
	}
	a, err := New(lsd)
	if err != nil {
		return err
	}
	for _, s := range cfg.Hashes {
		h, err := metainfo.ParseHash(s)
		if err != nil {
			return err
		}
		if err := a.Add(h); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	cancel()
	<-done
	return nil
}

// serve reads the handshakes of those that connect.
func serve(l net.Listener, say func(...any)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			head := make([]byte, 48)
			if _, err := io.ReadFull(c, head); err != nil || string(head[:20]) != "\x13BitTorrent protocol" {
				return
			}
			from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
			say("dialed", metainfo.Hash(head[28:48]), from.Unmap().WithZone(""))
		}()
	}
}
