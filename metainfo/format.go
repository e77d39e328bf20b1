package metainfo

import "fmt"

// Format is which sides a torrent has.
type Format int

const (
	// V1 is BEP 3: SHA-1, known to every client.
	V1 Format = iota
	// V2 is BEP 52: SHA-256, a tree for each file.
	V2
	// Hybrid is both, for the same files.
	Hybrid
)

// String returns "v1", "v2" or "hybrid".
func (f Format) String() string { return [...]string{"v1", "v2", "hybrid"}[f] }

// ParseFormat reads what String returns.
func ParseFormat(s string) (Format, error) {
	for f := V1; f <= Hybrid; f++ {
		if s == f.String() {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%s is none of v1, v2 and hybrid", quote(s))
}

// Format returns which sides the torrent has.
func (in *Info) Format() Format {
	switch {
	case !in.HasV2():
		return V1
	case in.HasV1():
		return Hybrid
	}
	return V2
}
