package metainfo

import (
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"math"
	"unicode/utf8"

	"starling/internal/benc"
)

// Parse reads a .torrent file. The Torrent keeps parts of b, which must not
// change afterwards. The error is an *Error.
func Parse(b []byte) (*Torrent, error) {
	if len(b) > MaxSize {
		return nil, bad("", "%d bytes are more than %d", len(b), MaxSize)
	}
	if err := benc.Scan(b, benc.MetainfoLimits()); err != nil {
		return nil, bad("", "%w", err)
	}
	if !benc.IsDict(b) {
		return nil, bad("", "it is not a dictionary")
	}
	t := &Torrent{}
	for key, raw := range benc.Dict(b) {
		if err := t.set(string(key), raw); err != nil {
			return nil, err
		}
	}
	if t.InfoBytes == nil {
		return nil, bad("info", "missing")
	}
	if err := t.setInfo(); err != nil {
		return nil, err
	}
	if err := t.takeLayers(); err != nil {
		return nil, err
	}
	return t, nil
}

// ParseInfo reads a bare info dictionary, as peers send it (BEP 9). Of the
// Torrent that it returns only Info, InfoBytes and the infohashes are set: see
// MissingLayers for what a v2 side needs beside. It keeps parts of raw. The error
// is an *Error.
func ParseInfo(raw []byte) (*Torrent, error) {
	if len(raw) > MaxInfoSize {
		return nil, bad("info", "%d bytes are more than %d", len(raw), MaxInfoSize)
	}
	if err := benc.Scan(raw, benc.MetainfoLimits()); err != nil {
		return nil, bad("info", "%w", err)
	}
	t := &Torrent{InfoBytes: raw}
	if err := t.setInfo(); err != nil {
		return nil, err
	}
	return t, nil
}

// setInfo reads InfoBytes, which have been scanned. No SHA-1 is computed where
// there is no v1 side: a system may forbid it.
func (t *Torrent) setInfo() error {
	info, err := parseInfo(t.InfoBytes)
	if err != nil {
		return err
	}
	t.Info = *info
	if info.HasV1() {
		if err := checkSHA1(); err != nil {
			return err
		}
		t.InfoHash = sha1.Sum(t.InfoBytes)
	}
	if info.HasV2() {
		t.InfoHashV2 = sha256.Sum256(t.InfoBytes)
	}
	return nil
}

// checkSHA1 refuses a v1 side where the process may not use SHA-1: it would panic.
func checkSHA1() error {
	if fips140.Enforced() {
		return bad("info", "it has SHA-1 hashes, which this system forbids; one of v2 has not")
	}
	return nil
}

// set takes one top-level key of a scanned file.
func (t *Torrent) set(key string, raw []byte) (err error) {
	switch key {
	case "announce":
		var url string
		if url, err = text(key, raw); err == nil && usableURL(url) {
			t.Announce = url
		}
	case "announce-list":
		t.AnnounceList, err = parseTiers(raw)
	case "comment":
		t.Comment, err = text(key, raw)
	case "created by":
		t.CreatedBy, err = text(key, raw)
	case "creation date":
		t.CreationDate, err = number(key, raw, math.MaxInt64)
	case "info":
		t.InfoBytes = raw
	case "nodes":
		t.Nodes = parseNodes(raw)
	case "url-list":
		t.URLList, err = parseURLs(key, raw, MaxWebSeeds)
	default:
		t.Extra = append(t.Extra, Field{key, raw})
	}
	return err
}

// parseTiers reads BEP 12's list of lists. Some programs write a list of
// strings; each then is a tier.
func parseTiers(raw []byte) ([][]string, error) {
	const field = "announce-list"
	if !benc.IsList(raw) {
		return nil, bad(field, "it is not a list")
	}
	var tiers [][]string
	left := MaxTrackers
	for item := range benc.List(raw) {
		urls, err := parseURLs(field, item, left)
		if err != nil {
			return nil, err
		}
		if len(urls) > 0 {
			tiers = append(tiers, urls)
			left -= len(urls)
		}
	}
	return tiers, nil
}

// parseURLs reads one string or a list of strings, and returns the first most
// of them that are usable.
func parseURLs(field string, raw []byte, most int) ([]string, error) {
	if !benc.IsList(raw) {
		url, err := text(field, raw)
		if err != nil || !usableURL(url) || most == 0 {
			return nil, err
		}
		return []string{url}, nil
	}
	var urls []string
	for item := range benc.List(raw) {
		url, err := text(field, item)
		if err != nil {
			return nil, err
		}
		if usableURL(url) && len(urls) < most {
			urls = append(urls, url)
		}
	}
	return urls, nil
}

// usableURL reports whether s may be handed on as a URL: of bounded length and
// without anything that could break a line or a header. Whether its scheme is
// spoken is for whom it is handed to.
func usableURL(s string) bool {
	if s == "" || len(s) > MaxURL || !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// parseNodes reads BEP 5's list of [host, port] and leaves out what is not one.
func parseNodes(raw []byte) []Node {
	var nodes []Node
	for item := range benc.List(raw) {
		var host []byte
		var port int64
		n := 0
		for v := range benc.List(item) {
			switch n {
			case 0:
				host, _ = benc.Bytes(v)
			case 1:
				port, _ = benc.Int(v)
			}
			n++
		}
		if n == 2 && usableURL(string(host)) && 0 < port && port <= math.MaxUint16 && len(nodes) < MaxNodes {
			nodes = append(nodes, Node{string(host), uint16(port)})
		}
	}
	return nodes
}

// text and number read a field whose type must be right.
func text(field string, raw []byte) (string, error) {
	b, ok := benc.Bytes(raw)
	if !ok {
		return "", bad(field, "it is not a string")
	}
	return string(b), nil
}

func number(field string, raw []byte, most int64) (int64, error) {
	n, ok := benc.Int(raw)
	if !ok {
		return 0, bad(field, "it is not an integer of 64 bits")
	}
	if n < 0 || n > most {
		return 0, bad(field, "%d is not in 0..%d", n, most)
	}
	return n, nil
}
