package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"starling/sim/fleet"
)

// The columns of each table. Times are seconds; what never came is empty.
var (
	hostColumns = []string{
		"host", "group", "rack", "role", "expected", "arrived_s", "first_byte_s", "done_s", "took_s",
		"pieces", "bytes_received", "bytes_sent", "bytes_wasted", "corrupt_pieces", "bans", "peers",
	}
	sampleColumns = []string{
		"at_s", "done", "progress", "bytes_sent", "seed_bytes_sent", "rarest", "unchoked", "interested",
	}
	availabilityColumns = []string{"at_s", "first_piece", "last_piece", "copies"}
	unchokeColumns      = []string{"from", "to", "unchoked_s", "bytes_sent"}
)

func hostsCSV(w io.Writer, r *fleet.Result) error {
	return rows(w, hostColumns, func(put func(...string)) {
		for i := range r.Hosts {
			h := &r.Hosts[i]
			put(h.Name, h.Group, h.Rack, roleName(h.Role), strconv.FormatBool(h.Expected),
				secondsText(h.Arrived), secondsText(h.FirstByte), secondsText(h.Done), secondsText(h.Took()),
				number(h.Pieces), number(h.Received), number(h.Sent), number(h.Wasted),
				number(h.Corrupt), number(h.Bans), number(h.Remotes))
		}
	})
}

func samplesCSV(w io.Writer, r *fleet.Result) error {
	return rows(w, sampleColumns, func(put func(...string)) {
		for i := range r.Samples {
			s := &r.Samples[i]
			put(secondsText(s.At), number(s.Done), decimal(s.Progress), number(s.UpBytes), number(s.SeedBytes),
				number(s.Rarest), number(s.Unchoked), number(s.Interested))
		}
	})
}

// availabilityCSV has a line for each sample and range of pieces.
func availabilityCSV(w io.Writer, r *fleet.Result) error {
	return rows(w, availabilityColumns, func(put func(...string)) {
		for i := range r.Samples {
			s := &r.Samples[i]
			for k, c := range s.Copies {
				first, end := pieceRange(k, len(s.Copies), r.Pieces)
				put(secondsText(s.At), number(first), number(end-1), decimal(float64(c)))
			}
		}
	})
}

// unchokesCSV has a line for each pair of which one has unchoked or served the
// other.
func unchokesCSV(w io.Writer, r *fleet.Result) error {
	return rows(w, unchokeColumns, func(put func(...string)) {
		n := matrixSize(r)
		for i := range n {
			for j := range n {
				open, sent := unchokedFor(r, i, j), servedBytes(r, i, j)
				if open != 0 || sent != 0 {
					put(r.Hosts[i].Name, r.Hosts[j].Name, secondsText(open), number(sent))
				}
			}
		}
	})
}

// pieceRange is the pieces that value k of n stands for: first to end-1.
func pieceRange(k, n, pieces int) (first, end int) {
	return k * pieces / n, (k + 1) * pieces / n
}

// matrixSize is how many hosts the matrices are about; 0 without any.
func matrixSize(r *fleet.Result) int {
	return min(max(len(r.Served), len(r.Unchoked)), len(r.Hosts))
}

func unchokedFor(r *fleet.Result, i, j int) time.Duration {
	if i < len(r.Unchoked) && j < len(r.Unchoked[i]) {
		return r.Unchoked[i][j]
	}
	return 0
}

func servedBytes(r *fleet.Result, i, j int) int64 {
	if i < len(r.Served) && j < len(r.Served[i]) {
		return r.Served[i][j]
	}
	return 0
}

// rows writes a head and the lines that fill puts. The error is w's.
func rows(w io.Writer, head []string, fill func(put func(...string))) error {
	c := csv.NewWriter(w)
	var err error
	put := func(fields ...string) {
		if err == nil {
			err = c.Write(fields)
		}
	}
	put(head...)
	fill(put)
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	return err
}

func number[T int | int64 | uint64](n T) string { return strconv.FormatInt(int64(n), 10) }

func decimal(v float64) string { return strconv.FormatFloat(finite(v), 'f', -1, 64) }

// secondsText is empty for a time that never came.
func secondsText(d time.Duration) string {
	if d < 0 {
		return ""
	}
	return decimal(seconds(d))
}
