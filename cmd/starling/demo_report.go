package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"starling/cmd/starling/internal/report"
	"starling/internal/units"
)

// demoHost is a row of the result.
type demoHost struct {
	Host      string  `json:"host"`
	DurationS float64 `json:"duration_s"`
	AvgBPS    int64   `json:"avg_bps"`
	Received  int64   `json:"bytes_received"`
	FromSeed  int64   `json:"bytes_from_seed"` // of Received
	Sent      int64   `json:"bytes_sent"`
}

// demoDoc is the result as JSON. Copies is how often the seed sent the content;
// the rest of what the leechers got came from each other.
type demoDoc struct {
	Bytes     int64      `json:"bytes"`
	Hosts     []demoHost `json:"hosts"`
	SeedSent  int64      `json:"seed_bytes_sent"`
	FromSeed  float64    `json:"from_seed"`
	FromPeers float64    `json:"from_peers"`
	DurationS float64    `json:"duration_s"`
	Verified  bool       `json:"verified"`
}

// watch shows all leechers as one until the last is complete.
func (d *demo) watch(ctx context.Context) error {
	tick := time.NewTicker(d.a.rep.Interval())
	defer tick.Stop()
	for {
		sum, last, all := d.reading()
		d.a.rep.Status(sum, all)
		if all {
			return nil
		}
		if d.a.now().Sub(last) > demoStall {
			return fail("demo", fmt.Errorf("nothing came for %s: %s", demoStall, sum.Trouble)).withCode(exitIncomplete)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-d.next():
		}
	}
}

// next is closed when the first leecher that is not complete becomes so.
func (d *demo) next() <-chan struct{} {
	for _, s := range d.leechers {
		if m := s.members[0]; !m.isComplete() {
			return m.completed
		}
	}
	return nil
}

// reading adds the leechers up. last is when one of them last got something.
func (d *demo) reading() (sum report.Status, last time.Time, all bool) {
	sum = report.Status{Name: plural(d.count, "leecher"), State: "downloading"}
	all = true
	for i, s := range d.leechers {
		m := s.members[0]
		all = m.isComplete() && all
		raw := m.torrent.Stats()
		st := m.status(&raw)
		sum.BytesTotal += st.BytesTotal
		sum.BytesDone += st.BytesDone
		sum.BytesSent += st.BytesSent
		sum.DownBPS += st.DownBPS
		sum.UpBPS += st.UpBPS
		sum.Pieces.Total += st.Pieces.Total
		sum.Pieces.Done += st.Pieces.Done
		sum.Pieces.InFlight += st.Pieces.InFlight
		sum.Peers.Connected = max(sum.Peers.Connected, st.Peers.Connected)
		sum.Peers.Seeders = max(sum.Peers.Seeders, st.Peers.Seeders)
		if i == 0 || st.AvailabilityMin < sum.AvailabilityMin {
			sum.AvailabilityMin = st.AvailabilityMin
		}
		if raw.LastProgress.After(last) {
			last = raw.LastProgress
		}
		if st.Trouble != "" && !m.isComplete() {
			sum.Trouble = m.name + ": " + st.Trouble
		}
	}
	if left := sum.BytesTotal - sum.BytesDone; sum.DownBPS > 0 {
		eta := left / sum.DownBPS
		sum.ETA = &eta
	}
	return sum, last, all
}

// finish compares every copy with the original and adds the swarm up.
func (d *demo) finish(took time.Duration) (demoDoc, error) {
	size := d.meta.Info.TotalLength()
	doc := demoDoc{Bytes: size, DurationS: took.Seconds()}
	seed := d.seed.members[0].torrent.Stats()
	doc.SeedSent = int64(seed.SentPayload)
	for _, s := range d.leechers {
		m := s.members[0]
		st := m.torrent.Stats()
		sum := m.summary(&st, exitOK)
		doc.Hosts = append(doc.Hosts, demoHost{
			Host: m.name, DurationS: sum.DurationS, AvgBPS: sum.AvgBPS,
			Received: int64(st.ReceivedPayload), FromSeed: d.fromSeed(m), Sent: sum.BytesSent,
		})
		for i := range d.meta.Info.Files {
			name := filepath.FromSlash(d.meta.Info.FilePath(i))
			if err := sameFile(filepath.Join(d.source, name), filepath.Join(m.dir, name)); err != nil {
				return doc, err
			}
		}
	}
	all := float64(size * int64(d.count))
	doc.FromSeed = min(1, float64(doc.SeedSent)/all)
	doc.FromPeers = 1 - doc.FromSeed
	doc.Verified = true
	return doc, nil
}

// fromSeed is how much of what a leecher got came from the seed.
func (d *demo) fromSeed(m *member) int64 {
	for _, a := range m.torrent.Accounts() {
		if a.PeerID == d.seed.id {
			return int64(a.Received)
		}
	}
	return 0
}

// sameFile compares two files byte by byte: not with the hashes that the
// transfer itself has trusted.
func sameFile(a, b string) error {
	fa, err := os.Open(a)
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return err
	}
	defer fb.Close()
	bufA, bufB := make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		n, errA := io.ReadFull(fa, bufA)
		m, errB := io.ReadFull(fb, bufB)
		if n != m || string(bufA[:n]) != string(bufB[:m]) {
			return fmt.Errorf("%s differs from %s: %w", b, a, errDiffers)
		}
		if errA != nil || errB != nil {
			for _, err := range []error{errA, errB} {
				if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					return err
				}
			}
			return nil
		}
	}
}

var errDiffers = errors.New("the copy is wrong")

func (d *demo) table(doc demoDoc) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "HOST\tTIME\tRATE\tRECEIVED\tFROM SEED\tSENT\t\n")
	for _, h := range doc.Hosts {
		fmt.Fprintf(w, "%s\t%.2fs\t%s\t%s\t%.0f%%\t%s\t\n", h.Host, h.DurationS, units.FormatRate(float64(h.AvgBPS)),
			units.FormatBytes(h.Received), 100*float64(h.FromSeed)/float64(max(h.Received, 1)), units.FormatBytes(h.Sent))
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%s complete and equal to the original in %.2fs\n", copies(len(doc.Hosts)), doc.DurationS)
	fmt.Fprintf(&b, "the seed sent %.2f copies: %.0f%% came from the seed, %.0f%% from other leechers\n",
		float64(doc.SeedSent)/float64(doc.Bytes), 100*doc.FromSeed, 100*doc.FromPeers)
	return b.String()
}

func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return itoa(n) + " copies"
}
