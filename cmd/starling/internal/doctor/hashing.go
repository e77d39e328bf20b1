package doctor

import (
	"crypto/sha1"
	"crypto/sha256"
	"time"

	"starling/internal/units"
)

const (
	// hashSample is hashed to measure the speed of a processor.
	hashSample = 16 << 20
	// hashSlow is bytes a second: less is slower than a link of 10 Gbit/s fills
	// with two processors.
	hashSlow = 400 << 20
)

// instructions says which hashes the processor has instructions for.
type instructions struct{ known, sha1, sha256 bool }

// hashing is how fast one processor hashes, bytes a second.
type hashing struct {
	in           instructions
	sha1, sha256 float64
}

func measureHashing() hashing {
	block := make([]byte, 1<<20)
	rate := func(sum func()) float64 {
		sum() // warm
		began := time.Now()
		for range hashSample / len(block) {
			sum()
		}
		return hashSample / max(time.Since(began).Seconds(), 1e-9)
	}
	return hashing{
		in:     hashInstructions(),
		sha1:   rate(func() { sha1.Sum(block) }),
		sha256: rate(func() { sha256.Sum256(block) }),
	}
}

func judgeHashing(h hashing) Finding {
	const check = "hashing"
	speed := "SHA-1 " + units.FormatRate(h.sha1) + ", SHA-256 " + units.FormatRate(h.sha256) + " a processor"
	switch {
	case h.in.known && !(h.in.sha1 && h.in.sha256):
		speed += ", without SHA instructions"
	case h.in.known:
		speed += ", with SHA instructions"
	}
	if h.sha1 < hashSlow {
		cure := "let nothing else keep the processors busy while content is checked or fetched"
		if h.in.known && !h.in.sha1 {
			cure = "let the virtual machine see the host's processor (sha_ni), or give it more processors"
		}
		return warning(check, cure, "%s: it may bound a transfer", speed)
	}
	return ok(check, "%s", speed)
}
