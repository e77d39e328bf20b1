package metainfo

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"
)

// Hash is a SHA-1: an infohash or the hash of a piece.
type Hash [20]byte

// String returns 40 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// HashV2 is the SHA-256 infohash of BitTorrent v2.
type HashV2 [32]byte

// String returns 64 lower-case hexadecimal digits.
func (h HashV2) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 20 bytes, by which handshakes, trackers and the DHT
// know a torrent without a v1 side.
func (h HashV2) Short() Hash { return Hash(h[:len(Hash{})]) }

// ParseHash reads a hash in the forms that magnet links use, 40 hexadecimal or
// 32 base32 digits, in either case.
func ParseHash(s string) (Hash, error) {
	var h Hash
	var b []byte
	var err error
	switch len(s) {
	case hex.EncodedLen(len(h)):
		b, err = hex.DecodeString(s)
	case base32.StdEncoding.EncodedLen(len(h)):
		b, err = base32.StdEncoding.DecodeString(strings.ToUpper(s))
	default:
		return h, &Error{"infohash", "", errors.New("it has neither 40 hexadecimal nor 32 base32 digits")}
	}
	if err != nil || len(b) != len(h) {
		return h, &Error{"infohash", "", errors.New("a digit is not one of its alphabet")}
	}
	copy(h[:], b)
	return h, nil
}
