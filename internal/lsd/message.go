package lsd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"starling/metainfo"
)

const (
	// MaxPacket is the most bytes of a packet, sent or accepted (BEP 14).
	MaxPacket = 1400
	// MaxHashes is how many infohashes fit into a packet of ours.
	MaxHashes = 25

	maxLines  = 64 // of a packet that is accepted
	maxCookie = 64 // bytes of one that is accepted
	maxName   = 32 // bytes of a header's name
)

const requestLine = "BT-SEARCH * HTTP/1.1"

// Message is what one packet says.
type Message struct {
	// Port is the TCP port at which the sender listens for peers.
	Port uint16
	// Hashes are the torrents it has, each once.
	Hashes []metainfo.Hash
	// Cookie tells a sender its own packets; it may be empty.
	Cookie string
}

// Append appends the packet for a group, such as "239.192.152.143:6771", to dst.
// It is at most MaxPacket long where there are at most MaxHashes, and a cookie of
// 16 bytes.
func (m *Message) Append(dst []byte, host string) []byte {
	dst = append(dst, requestLine+"\r\nHost: "+host+"\r\nPort: "...)
	dst = strconv.AppendUint(dst, uint64(m.Port), 10)
	for _, h := range m.Hashes {
		dst = append(dst, "\r\nInfohash: "...)
		dst = hex.AppendEncode(dst, h[:])
	}
	if m.Cookie != "" {
		dst = append(dst, "\r\ncookie: "+m.Cookie...)
	}
	return append(dst, "\r\n\r\n\r\n"...)
}

// Parse reads a packet. An infohash that comes twice counts once.
func Parse(packet []byte) (*Message, error) {
	if len(packet) > MaxPacket {
		return nil, fmt.Errorf("lsd: a packet of more than %d bytes", MaxPacket)
	}
	lines := bytes.Split(packet, []byte("\r\n"))
	// The last line has an end too, and one or two empty ones follow.
	n := len(lines)
	for n > 0 && len(lines[n-1]) == 0 {
		n--
	}
	if end := len(lines) - n; end < 2 || end > 3 {
		return nil, errors.New("lsd: the packet does not end with one or two empty lines")
	}
	if n > maxLines {
		return nil, fmt.Errorf("lsd: more than %d lines", maxLines)
	}
	if n == 0 || string(lines[0]) != requestLine {
		return nil, errors.New("lsd: not a " + requestLine)
	}
	p := parser{}
	for _, line := range lines[1:n] {
		if err := p.line(line); err != nil {
			return nil, err
		}
	}
	switch {
	case !p.host:
		return nil, errors.New("lsd: no Host")
	case p.m.Port == 0:
		return nil, errors.New("lsd: no Port")
	case len(p.m.Hashes) == 0:
		return nil, errors.New("lsd: no Infohash")
	}
	return &p.m, nil
}

type parser struct {
	m            Message
	host, cookie bool // seen
}

// line reads one header.
func (p *parser) line(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isName(name) {
		return errors.New("lsd: a line that is no header")
	}
	value = bytes.Trim(value, " \t")
	if !isPrintable(value) {
		return fmt.Errorf("lsd: the value of %s is not printable", name)
	}
	switch strings.ToLower(string(name)) {
	case "host":
		if p.host {
			return errors.New("lsd: Host comes twice")
		}
		p.host = true
	case "port":
		return p.port(value)
	case "infohash":
		return p.hash(value)
	case "cookie":
		if p.cookie {
			return errors.New("lsd: cookie comes twice")
		}
		if len(value) > maxCookie {
			return fmt.Errorf("lsd: a cookie of more than %d bytes", maxCookie)
		}
		p.cookie, p.m.Cookie = true, string(value)
	}
	return nil
}

func (p *parser) port(value []byte) error {
	if p.m.Port != 0 {
		return errors.New("lsd: Port comes twice")
	}
	n, err := strconv.ParseUint(string(value), 10, 16)
	if err != nil || n == 0 || value[0] == '0' {
		return errors.New("lsd: Port is not a number from 1 to 65535")
	}
	p.m.Port = uint16(n)
	return nil
}

func (p *parser) hash(value []byte) error {
	var h metainfo.Hash
	if len(value) != hex.EncodedLen(len(h)) {
		return errors.New("lsd: Infohash does not have 40 digits")
	}
	if _, err := hex.Decode(h[:], value); err != nil {
		return errors.New("lsd: Infohash is not hexadecimal")
	}
	if !slices.Contains(p.m.Hashes, h) {
		p.m.Hashes = append(p.m.Hashes, h)
	}
	return nil
}

func isName(b []byte) bool {
	if len(b) == 0 || len(b) > maxName {
		return false
	}
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
