package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"starling/cmd/starling/internal/config"
)

// hostNames are the names by which this host may be asked. A page of a stranger's that has
// its own name resolve to an address of this host ("DNS rebinding") can read what is
// answered to it, since a browser takes that for the page's own server; but the browser
// says by which name it asks.
type hostNames map[string]bool

// namesOfHost are localhost, the host's own name with and without its domain, and more.
func namesOfHost(own string, more []string) hostNames {
	n := hostNames{"localhost": true}
	short, _, _ := strings.Cut(own, ".")
	for _, name := range append([]string{own, short}, more...) {
		if name = plainHost(name); name != "" {
			n[name] = true
		}
	}
	return n
}

// plainHost is a name as it is compared.
func plainHost(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// has says whether a request with this Host may be answered. An address is nobody's name,
// and no browser leaves the host out.
func (n hostNames) has(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "" {
		return true
	}
	host = plainHost(host)
	return n[host] || strings.HasSuffix(host, ".localhost")
}

// longestShown is how much of a name a refusal repeats: as long as names may be.
const longestShown = 253

// refuse says what to do if the name is right.
func (n hostNames) refuse(w http.ResponseWriter, host string) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	text := fmt.Sprintf("%.*q is no name of this host: ask it by its address or as localhost, or start starling with --allow-host NAME", longestShown, host)
	http.Error(w, text, http.StatusMisdirectedRequest)
}

// adminHandler is what is answered at an admin listener: next, and /debug/. A listener that
// only this host reaches answers to this host's names only. One that others reach is
// scraped by whatever name the network has for it, and tells them no more than it tells
// everybody: there it is /debug/ that asks for a name of ours.
func adminHandler(at net.Addr, next http.Handler, c *config.Config) http.Handler {
	names := namesOfHost(hostname(), c.AllowHost)
	h := debugging(next, c, names)
	if tcp, ok := at.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !names.has(r.Host) {
			names.refuse(w, r.Host)
			return
		}
		h.ServeHTTP(w, r)
	})
}
