package monitor

import (
	"strings"
	"testing"

	"starling/p2p"
)

// What a message costs whoever forwards it, the monitor, and a comparison.

func BenchmarkAppendLine(b *testing.B) {
	r := record(p2p.Sent, strings.Repeat("a", 40), strings.Repeat("b", 40), "REQU", 12)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendJSON(buf[:0])
	}
}

func BenchmarkMonitor(b *testing.B) {
	r := record(p2p.Sent, strings.Repeat("a", 40), strings.Repeat("b", 40), "REQU", 12)
	const size = 256
	var records []p2p.TapRecord
	for range size {
		records = append(records, r)
	}
	_, m := recorded(Config{})
	data := []byte(batchOf("s-1", 0, 0, records...))
	b.ReportAllocs()
	for b.Loop() {
		_, lines, err := parseBatch(data, m.lines[:0])
		if err != nil {
			b.Fatal(err)
		}
		m.take(lines)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/record")
}
