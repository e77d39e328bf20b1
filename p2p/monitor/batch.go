package monitor

import (
	"bytes"
	"encoding/json"
	"strconv"

	"starling/p2p"
)

// The messages of this package. Both are requests, best sent in envelopes.
//
//	type  data                  answer
//	COPY  a batch               REPL count of the records taken; the connection ends if it is malformed
//	STAT  -                     REPL counters, as JSON (Stats)
//
// A batch is lines. The first says whose it is and its number, and how
// many records the source has dropped since the batch before:
//
//	{"source":"a-00c0ffee","batch":0,"lost":0}
//
// and those after it are records, as in a message log.
const (
	COPY = p2p.Type('C'<<24 | 'O'<<16 | 'P'<<8 | 'Y')
	STAT = p2p.Type('S'<<24 | 'T'<<16 | 'A'<<8 | 'T')
)

const (
	// maxBatch bounds the data of a COPY, in bytes: what an envelope holds.
	maxBatch = 64 << 10
	// maxRecords bounds the records of one: reading them holds up the monitor.
	maxRecords = 512
	// maxSource is the longest name of a source, in bytes.
	maxSource = 300
)

// header is the first line of a batch.
type header struct {
	Source string  `json:"source"`
	Batch  *uint64 `json:"batch"`
	Lost   uint64  `json:"lost"`
}

// appendHeader appends a batch's first line. source is ASCII without quotes.
func appendHeader(b []byte, source string, number, lost uint64) []byte {
	b = append(b, `{"source":"`...)
	b = append(b, source...)
	b = append(b, `","batch":`...)
	b = strconv.AppendUint(b, number, 10)
	b = append(b, `,"lost":`...)
	b = strconv.AppendUint(b, lost, 10)
	return append(b, '}', '\n')
}

// parseBatch reads the data of a COPY and appends its lines to lines: the mark of
// lost records first, if there are any. The error is a p2p.ProtocolError.
func parseBatch(data []byte, lines []Line) (header, []Line, error) {
	first, rest, _ := bytes.Cut(data, []byte{'\n'})
	var h header
	if json.Unmarshal(first, &h) != nil || h.Batch == nil || h.Source == "" || len(h.Source) > maxSource {
		return h, lines, p2p.Violation(p2p.ReasonBadMessage, "COPY without the line of its source")
	}
	if h.Lost > 0 {
		lines = append(lines, Line{Lost: h.Lost})
	}
	records := 0
	for n := 2; len(rest) > 0; n++ {
		var text []byte
		text, rest, _ = bytes.Cut(rest, []byte{'\n'})
		line, err := ParseLine(text)
		if err == nil && line.Lost > 0 {
			err = errLine
		}
		if err != nil {
			return h, lines, p2p.Violation(p2p.ReasonBadMessage, "COPY: line %d %w", n, err)
		}
		if records++; records > maxRecords {
			return h, lines, p2p.Violation(p2p.ReasonBadMessage, "COPY of more than %d records", maxRecords)
		}
		lines = append(lines, line)
	}
	return h, lines, nil
}
