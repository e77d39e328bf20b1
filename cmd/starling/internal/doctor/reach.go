package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"starling/tracker"
)

// reading is what an answer of the tracker's tells about other things.
type reading struct {
	clock   skew
	pathMTU int // 0: not known
}

// answer is how the tracker answered over HTTP.
type answer struct {
	status int
	ours   bool // it is a starling's health
	took   time.Duration
	err    error
}

// reach asks a tracker over HTTP, if the URL is one, and over UDP.
func reach(ctx context.Context, u *url.URL, patience time.Duration) ([]Finding, reading) {
	if u.Scheme == "udp" {
		return one(judgeUDP(u, askUDP(ctx, u, patience), true)), reading{}
	}
	a, r := askHTTP(ctx, u, patience)
	out := one(judgeHTTP(u, a))
	if u.Scheme == "http" && a.err == nil && a.ours {
		// A tracker of ours answers over UDP at the same place, unless told not to.
		over := &url.URL{Scheme: "udp", Host: u.Host}
		if u.Port() == "" {
			over.Host = net.JoinHostPort(u.Hostname(), "80")
		}
		out = append(out, judgeUDP(over, askUDP(ctx, over, patience), false))
	}
	return out, r
}

// askHTTP asks for the tracker's health. The clock and the path are read from the
// answer, whoever gave it.
func askHTTP(ctx context.Context, u *url.URL, patience time.Duration) (a answer, r reading) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var conn net.Conn
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		conn = c
		return c, err
	}}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	at := &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: "/readyz"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return answer{err: err}, r
	}
	sent := time.Now()
	resp, err := client.Do(req)
	received := time.Now()
	if err != nil {
		return answer{err: err}, r
	}
	defer resp.Body.Close()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		r.clock = skewOf(sent, received, date)
	}
	r.pathMTU = pathOf(conn)
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64))
	if err != nil {
		return answer{err: err}, r
	}
	text := strings.TrimSpace(string(body))
	a = answer{status: resp.StatusCode, took: received.Sub(sent)}
	a.ours = a.status == http.StatusOK && text == "ready" || a.status == http.StatusServiceUnavailable && text == "not ready"
	return a, r
}

// pathOf is the MTU of a connection's path; 0: not known.
func pathOf(c net.Conn) (mtu int) {
	tcp, isTCP := c.(*net.TCPConn)
	if !isTCP || tcp.RemoteAddr().(*net.TCPAddr).IP.IsLoopback() {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	if err := raw.Control(func(fd uintptr) { mtu = pathMTU(fd) }); err != nil {
		return 0
	}
	return mtu
}

func judgeHTTP(u *url.URL, a answer) Finding {
	check := "tracker " + u.Scheme
	switch {
	case a.err != nil:
		return problem(check, cureOf(a.err, u, "TCP"), "%s: %s", u.Host, whyOf(a.err))
	case a.ours && a.status != http.StatusOK:
		return warning(check, "wait for it, or look at its log", "%s answers, and says that it is not ready", u.Host)
	case !a.ours:
		return warning(check, "see that the URL is a tracker's", "%s answers with status %d, not as a starling tracker does", u.Host, a.status)
	}
	return ok(check, "%s is ready, and answered in %s", u.Host, a.took.Round(10*time.Microsecond))
}

// askUDP scrapes a hash that nobody has.
func askUDP(ctx context.Context, u *url.URL, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at := &url.URL{Scheme: "udp", Host: u.Host, Path: "/announce"}
	c := tracker.NewClient(tracker.ClientConfig{Tiers: [][]string{{at.String()}}, Rng: rand.New(rand.NewPCG(0, 0))})
	defer c.Close()
	_, err := c.Scrape(ctx, [][20]byte{{}})
	var refused *tracker.RefusedError
	if errors.As(err, &refused) {
		return nil // it has answered
	}
	return err
}

// judgeUDP judges a tracker's answer over UDP; needed says that there is no other
// way to it.
func judgeUDP(u *url.URL, err error, needed bool) Finding {
	const check = "tracker udp"
	switch {
	case err == nil:
		return ok(check, "%s answers", u.Host)
	case needed:
		return problem(check, cureOf(err, u, "UDP"), "%s: %s", u.Host, whyOf(err))
	case errors.Is(err, syscall.ECONNREFUSED):
		return ok(check, "%s: nothing listens there, peers announce over HTTP", u.Host)
	}
	return warning(check, "open UDP port "+u.Port()+" on the way if peers are to announce over UDP; over HTTP they can",
		"%s: %s", u.Host, whyOf(err))
}

// whyOf is an error in a few words.
func whyOf(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the name does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case unanswered(err):
		return "no answer"
	case noTLS(err):
		return "what listens there does not speak TLS"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "it closed the connection without an answer"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		err = inner
	}
}

// cureOf says what mends that a tracker cannot be reached.
func cureOf(err error, u *url.URL, network string) string {
	var dns *net.DNSError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns):
		return "see that the name is right and that this host's resolver knows it: getent hosts " + u.Hostname()
	case errors.As(err, &name):
		return "write a name that the certificate is for, or give the tracker one for " + u.Hostname()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the tracker's certificate, or mend the clock here if it is not that old: date"
	case errors.As(err, &cert):
		return "install the authority that signed the tracker's certificate"
	case noTLS(err):
		return "write http:// and not https://, or see that the port is right"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "start it there, on an address that this host reaches: starling tracker --listen :" + portOf(u)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "see that this host has a route to it: ip route get " + u.Hostname()
	case unanswered(err):
		return "see that it runs, and that every firewall on the way lets " + network + " port " + portOf(u) + " through"
	}
	return "see that the URL is a tracker's: its port, and https:// where it is behind TLS"
}

// unanswered says that an error is of a wait that has ended.
func unanswered(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// noTLS says that TLS was asked for and something else answered.
func noTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) || errors.Is(err, http.ErrSchemeMismatch)
}

// portOf is the URL's port, or the scheme's.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
