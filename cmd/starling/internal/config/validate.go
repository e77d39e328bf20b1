package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
)

// Piece sizes that a torrent may have.
const (
	minPiece = 16 << 10
	maxPiece = 64 << 20
)

// hostName is what a browser can send as the name of a host; an address needs no leave.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// Validate refuses a configuration that cannot work. Each refusal names its key.
func (c *Config) Validate() error {
	var v check
	v.oneOf("log-format", c.LogFormat, "auto", "text", "json")
	if _, err := ParseLevel(c.LogLevel); err != nil {
		v.fail("log-level", err)
	}
	if _, err := report.ParseMode(c.Progress); err != nil {
		v.fail("progress", err)
	}
	if c.Quiet && c.Verbose {
		v.fail("quiet", errors.New("quiet and verbose exclude each other"))
	}
	if len(c.NodeName) > maxNodeName {
		v.fail("node-name", fmt.Errorf("%d bytes, at most %d", len(c.NodeName), maxNodeName))
	}
	if _, err := Labels(c.NodeLabel); err != nil {
		v.fail("node-label", err)
	}
	v.listen("metrics-listen", c.MetricsListen, true)
	for _, name := range c.AllowHost {
		if !hostName.MatchString(name) {
			v.fail("allow-host", fmt.Errorf("%q is not the name of a host, without port and scheme", name))
		}
	}
	if c.Monitor != "" {
		if err := hostPort(c.Monitor, 1); err != nil {
			v.fail("monitor", err)
		}
	}

	v.listen("tracker.listen", c.Tracker.Listen, false)
	v.udpListen("tracker.udp-listen", c.Tracker.UDPListen)
	v.listen("tracker.admin-listen", c.Tracker.AdminListen, true)
	v.atLeast("tracker.max-peers-per-ip", c.Tracker.MaxPeersPerIP, 0)
	if i := c.Tracker.Interval; i != 0 && (i < time.Second || i > 24*time.Hour) {
		v.fail("tracker.interval", fmt.Errorf("%s is neither 0 nor from 1s to 24h", i))
	}
	if d := c.Tracker.Drain; d < 0 || d > 10*time.Minute {
		v.fail("tracker.drain", fmt.Errorf("%s is not from 0s to 10m", d))
	}

	v.oneOf("tracker.view", c.Tracker.View, "auto", "on", "off")

	v.listen("seed.listen", c.Seed.Listen, false)
	v.urls("seed.tracker", c.Seed.Tracker)
	v.wire("seed", &c.Seed.Wire)
	v.duration("seed.scrub", c.Seed.Scrub)

	l := &c.Leech
	v.listen("leech.listen", l.Listen, false)
	v.urls("leech.tracker", l.Tracker)
	for _, s := range l.WebSeed {
		if err := checkWebSeedURL(s); err != nil {
			v.fail("leech.webseed", err)
		}
	}
	v.wire("leech", &l.Wire)
	v.duration("leech.timeout", l.Timeout)
	v.duration("leech.stall-timeout", l.StallTimeout)
	v.duration("leech.scrub", l.Scrub)
	_, briefly, err := ParseSeedFor(l.SeedFor)
	if err != nil {
		v.fail("leech.seed-for", err)
	}
	if l.NoSeed && (l.SeedForever || !briefly) || l.SeedForever && !briefly {
		v.fail("leech.seed-for", errors.New("seed-for, seed-forever and no-seed exclude each other"))
	}

	v.listen("share.listen", c.Share.Listen, false)
	v.udpListen("share.udp-listen", c.Share.UDPListen)
	v.listen("share.peer-listen", c.Share.PeerListen, false)
	if _, err := ParsePieceSize(c.Share.PieceSize); err != nil {
		v.fail("share.piece-size", err)
	}
	v.wire("share", &c.Share.Wire)
	v.duration("share.scrub", c.Share.Scrub)
	v.oneOf("share.view", c.Share.View, "on", "off")
	v.fleet(c)
	return errors.Join(v.errs...)
}

// ParsePieceSize reads a piece size: 0 for "auto", else a power of two from
// 16 KiB to 64 MiB.
func ParsePieceSize(s string) (int64, error) {
	if s == "auto" {
		return 0, nil
	}
	n, err := units.ParseBytes(s)
	if err != nil {
		return 0, err
	}
	if n < minPiece || n > maxPiece || n&(n-1) != 0 {
		return 0, fmt.Errorf("piece size %s is not a power of two from 16KiB to 64MiB", s)
	}
	return int64(n), nil
}

// ParseSeedFor reads how long to seed what was fetched: a duration, or "auto",
// which is a minute at most and less when nobody is left to serve.
func ParseSeedFor(s string) (d time.Duration, auto bool, err error) {
	if s == "auto" {
		return time.Minute, true, nil
	}
	if d, err = time.ParseDuration(s); err != nil || d < 0 {
		return 0, false, fmt.Errorf("%q is neither auto nor a duration like 90s", s)
	}
	return d, false, nil
}

// ParseLevel reads a log level.
func ParseLevel(s string) (slog.Level, error) {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(s, l.String()) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("log level %q is not one of debug, info, warn, error", s)
}

// Label is one K=V of node-label.
type Label struct{ Key, Value string }

// Labels splits K=V labels. They become parameters of an announce and labels
// of a scrape, so a key is a Prometheus label name.
func Labels(list []string) ([]Label, error) {
	var out []Label
	for _, kv := range list {
		k, val, ok := strings.Cut(kv, "=")
		if !ok || !labelName(k) {
			return nil, fmt.Errorf("label %q is not KEY=VALUE with a key of letters, digits and _", kv)
		}
		if len(k) > 64 || len(val) > 256 {
			return nil, fmt.Errorf("label %q: at most 64 bytes of key and 256 of value", k)
		}
		out = append(out, Label{k, val})
	}
	if len(out) > 16 {
		return nil, fmt.Errorf("%d labels, at most 16", len(out))
	}
	return out, nil
}

func labelName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// check collects refusals.
type check struct{ errs []error }

func (v *check) fail(key string, err error) {
	v.errs = append(v.errs, &fault{key, err.Error()})
}

func (v *check) oneOf(key, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		v.fail(key, fmt.Errorf("%q is not one of %s", s, strings.Join(allowed, ", ")))
	}
}

func (v *check) atLeast(key string, n, least int) {
	if n < least {
		v.fail(key, fmt.Errorf("%d is less than %d", n, least))
	}
}

func (v *check) duration(key string, d time.Duration) {
	if d < 0 {
		v.fail(key, fmt.Errorf("%s is negative", d))
	}
}

func (v *check) listen(key, addr string, optional bool) {
	if addr == "" && optional {
		return
	}
	if err := hostPort(addr, 0); err != nil {
		v.fail(key, err)
	}
}

// udpListen takes "off" too, and nothing for where a tracker listens otherwise.
func (v *check) udpListen(key, addr string) {
	if addr != "off" {
		v.listen(key, addr, true)
	}
}

func (v *check) wire(section string, w *Wire) {
	v.oneOf(section+".choke", w.Choke, "tit-for-tat", "cooperative")
	v.oneOf(section+".encryption", w.Encryption, "accept", "off", "prefer", "require")
	v.atLeast(section+".max-peers", w.MaxPeers, 1)
	for _, p := range w.Peer {
		if err := hostPort(p, 1); err != nil {
			v.fail(section+".peer", err)
		}
	}
}

func (v *check) urls(key string, list []string) {
	for _, s := range list {
		if err := CheckTrackerURL(s); err != nil {
			v.fail(key, err)
		}
	}
}

// CheckTrackerURL refuses what cannot be a tracker's announce URL. What follows the
// host may hold a passkey, which the error does not repeat.
func CheckTrackerURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "udp"}, u.Scheme):
		return fmt.Errorf("%q is not an http, https or udp URL like http://HOST:6969/announce", shownText(s))
	case u.Scheme == "udp" && u.Port() == "":
		return fmt.Errorf("%q has no port, which a udp URL needs", shownText(s))
	}
	return nil
}

// checkWebSeedURL refuses what cannot be a web seed. The URL may hold a password,
// so that the error does not repeat it.
func checkWebSeedURL(s string) error {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("it is not an http or https URL")
	}
	return nil
}

// hostPort checks HOST:PORT with a numeric port not less than least.
func hostPort(s string, least int) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < least || n > 65535 {
		return fmt.Errorf("%q: port %q is not a number from %d to 65535", s, port, least)
	}
	return nil
}
