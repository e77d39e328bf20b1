package metainfo

// Limits on what is accepted, in bytes unless said otherwise.
const (
	// MaxSize bounds a .torrent file.
	MaxSize = 64 << 20
	// MaxInfoSize bounds an info dictionary that comes from peers, or that
	// a Builder makes.
	MaxInfoSize = 48 << 20
	// MinPieceLength and MaxPieceLength bound the piece length, which is a
	// power of two.
	MinPieceLength = 16 << 10
	MaxPieceLength = 64 << 20
	// MaxPieces is how many pieces there may be (libtorrent's 0x200000).
	MaxPieces = 1 << 21
	// MaxFiles is how many files there may be, padding included.
	MaxFiles = 200_000

	// MaxComponent bounds a file or directory name, MaxPath a whole path
	// with the torrent's name in front and its slashes. They are Linux's.
	MaxComponent = 255
	MaxPath      = 4096
	// MaxPathDepth is how many components a path may have.
	MaxPathDepth = 100

	// MaxTrackers, MaxWebSeeds and MaxNodes are how many of each are kept.
	// More are ignored and not an error: they only help to find peers.
	MaxTrackers = 32
	MaxWebSeeds = 16
	MaxNodes    = 32
	// MaxURL bounds a tracker's or web seed's URL. A longer one is ignored.
	MaxURL = 2048

	// MaxMagnet bounds a magnet link. MaxMagnetPeers is how many of its
	// peer addresses are kept, MaxRanges how many file ranges it may have.
	MaxMagnet      = 8 << 10
	MaxMagnetPeers = 64
	MaxRanges      = 1000
)

const (
	defaultPieceLength = 256 << 10
	autoPieces         = 1 << 14
	autoLength         = 16 << 20
	autoMaxPieces      = 1 << 19
)

// AutoPieceLength chooses the piece length for total bytes of content: 256 KiB
// up to 4 GiB, then the least that makes no more than 16,384 pieces, up to 16
// MiB at 256 GiB. Every host fetches 20 bytes a piece before it can begin, so
// ten thousand hosts are served faster with fewer pieces. But pieces above 16
// MiB leave a host little to trade while they are incomplete, so there the
// count grows instead, to half a million at 8 TiB, and then the length again.
func AutoPieceLength(total int64) int64 {
	n := int64(defaultPieceLength)
	for n < autoLength && total > n*autoPieces {
		n *= 2
	}
	for n < MaxPieceLength && total > n*autoMaxPieces {
		n *= 2
	}
	return n
}

// checkPieceLength says whether n may be a piece length.
func checkPieceLength(n int64) error {
	const field = "info.piece length"
	if n < MinPieceLength || n > MaxPieceLength {
		return bad(field, "%d is not in %d..%d", n, MinPieceLength, MaxPieceLength)
	}
	if n&(n-1) != 0 {
		return bad(field, "%d is not a power of two", n)
	}
	return nil
}
