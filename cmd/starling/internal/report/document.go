package report

import (
	"encoding/json"
	"io"
	"time"
)

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// header begins every JSON line.
type header struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	Time string `json:"time"`
}

func newHeader(kind string, t time.Time) header {
	return header{V: 1, Type: kind, Time: Time(t)}
}

// Time is a time as every JSON line has it.
func Time(t time.Time) string { return t.UTC().Format(timeLayout) }

// Status is a reading of one torrent.
type Status struct {
	Name     string `json:"name"`
	InfoHash string `json:"infohash,omitempty"`
	// State is hashing, checking, downloading, seeding, stalled or error.
	State      string `json:"state"`
	BytesTotal int64  `json:"bytes_total"`
	BytesDone  int64  `json:"bytes_done"`
	BytesSent  int64  `json:"bytes_sent"`
	DownBPS    int64  `json:"down_bps"` // bytes a second
	UpBPS      int64  `json:"up_bps"`
	ETA        *int64 `json:"eta_s"` // seconds; null where nobody can tell
	Peers      Peers  `json:"peers"`
	Pieces     Pieces `json:"pieces"`
	// AvailabilityMin is how many peers have the rarest piece we lack.
	AvailabilityMin int    `json:"availability_min"`
	Fleet           *Fleet `json:"fleet,omitempty"`
	// Trouble says why it does not advance; empty when it does.
	Trouble string `json:"trouble,omitempty"`
}

// Peers counts the peers that we are connected to.
type Peers struct {
	Connected     int `json:"connected"`
	Seeders       int `json:"seeders"`
	UnchokingUs   int `json:"unchoking_us"`
	UnchokedByUs  int `json:"unchoked_by_us"`
	InterestedIn  int `json:"interested_in_us"`
	AddressesLeft int `json:"addresses_left"` // known, not connected to
}

// Pieces counts the pieces of a torrent.
type Pieces struct {
	Total    int `json:"total"`
	Done     int `json:"done"`
	InFlight int `json:"in_flight"`
}

// Fleet is what the tracker says of all the swarm's peers.
type Fleet struct {
	Complete   int `json:"complete"`
	Incomplete int `json:"incomplete"`
}

// Event is a moment: ready, first_byte, complete, stopped, stalled, resumed,
// failed, banned, rotten, mended, changed, rechecked, tracker_failed, tracker_ok, reloaded, reload_failed, draining.
type Event struct {
	Name string `json:"event"`
	// Addresses are where a daemon serves, by what serves there: peer,
	// tracker, admin, metrics.
	Addresses map[string]string `json:"addresses,omitempty"`
	Torrent   string            `json:"name,omitempty"`
	InfoHash  string            `json:"infohash,omitempty"`
	Path      string            `json:"path,omitempty"`
	URL       string            `json:"url,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	// Changes are what a reload found.
	Changes []Change `json:"changes,omitempty"`
	// At is when it happened; zero is now.
	At time.Time `json:"-"`
}

// Change is a key of the configuration that was found changed.
type Change struct {
	Key     string `json:"key"`
	Old     string `json:"old"`
	New     string `json:"new"`
	Applied bool   `json:"applied"` // false: it needs a restart
}

// Summary is how a transfer ended.
type Summary struct {
	Path          string    `json:"path"`
	InfoHash      string    `json:"infohash"`
	DurationS     float64   `json:"duration_s"` // until complete, or until the end
	AvgBPS        int64     `json:"avg_bps"`
	BytesFrom     BytesFrom `json:"bytes_from"`
	BytesSent     int64     `json:"bytes_sent"`
	CorruptPieces int       `json:"corrupt_pieces"`
	ExitCode      int       `json:"exit_code"`
}

// BytesFrom says where the wanted bytes came from; Disk is what was there before.
type BytesFrom struct {
	Peers    int64 `json:"peers"`
	WebSeeds int64 `json:"webseeds"`
	Disk     int64 `json:"disk"`
}

// Error is why a command failed.
type Error struct {
	Code      int    `json:"code"` // the exit code
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	Retryable bool   `json:"retryable"` // the same command may succeed later
}

// Write writes a Status, Event, Summary or Error as one JSON line.
func Write(w io.Writer, doc any, now time.Time) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	switch d := doc.(type) {
	case Status:
		return enc.Encode(struct {
			header
			Status
		}{newHeader("status", now), d})
	case Event:
		if !d.At.IsZero() {
			now = d.At
		}
		return enc.Encode(struct {
			header
			Event
		}{newHeader("event", now), d})
	case Summary:
		return enc.Encode(struct {
			header
			Summary
		}{newHeader("summary", now), d})
	case Error:
		return enc.Encode(struct {
			header
			Error
		}{newHeader("error", now), d})
	}
	return enc.Encode(doc)
}
