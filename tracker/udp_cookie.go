package tracker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"time"
)

// cookieLife is how long at least a connection id is taken; at most twice that.
const cookieLife = 2 * time.Minute

// cookies makes and checks connection ids. An id says that its holder receives
// what is sent to its address, so nothing longer than a request goes to an address
// that somebody else wrote into a packet. The tracker keeps nothing of it: an id is
// a MAC of the address and of the time in steps of cookieLife, its lowest bit
// replaced by that of the step. It is not safe for concurrent use.
type cookies struct {
	mac hash.Hash
	in  [24]byte
	sum [sha256.Size]byte
}

type cookieSecret [32]byte

func newCookieSecret() (s cookieSecret) {
	_, _ = rand.Read(s[:]) // never fails: it ends the process instead
	return s
}

func newCookies(s *cookieSecret) *cookies { return &cookies{mac: hmac.New(sha256.New, s[:])} }

// id is the connection id of an address at a time since the tracker's start.
func (c *cookies) id(from netip.Addr, now time.Duration) uint64 {
	return c.at(from, uint64(now/cookieLife))
}

// valid says whether id was given to the address lately.
func (c *cookies) valid(id uint64, from netip.Addr, now time.Duration) bool {
	step := uint64(now / cookieLife)
	if step&1 != id&1 {
		step--
	}
	return c.at(from, step) == id
}

func (c *cookies) at(from netip.Addr, step uint64) uint64 {
	ip := from.As16()
	copy(c.in[:16], ip[:])
	binary.BigEndian.PutUint64(c.in[16:], step)
	c.mac.Reset()
	c.mac.Write(c.in[:])
	return binary.BigEndian.Uint64(c.mac.Sum(c.sum[:0]))&^1 | step&1
}
