package tracker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"starling/internal/benc"
)

// Scraped is what a tracker tells of a torrent (BEP 48); -1 is unknown.
type Scraped struct {
	// Complete is the number of seeds and Incomplete of the others;
	// Downloaders of those others who still want something (BEP 21).
	Complete, Incomplete, Downloaders int
	// Downloaded is how many peers have completed it.
	Downloaded int
}

var unknownScraped = Scraped{-1, -1, -1, -1}

// MaxScrape is how many torrents a client asks of at once.
const MaxScrape = maxScrape

// ErrNoScrape says that a tracker's announce URL has no scrape URL.
var ErrNoScrape = errors.New("the tracker has no scrape")

// ScrapeURL is the URL to scrape at, made of an announce URL (BEP 48): the last
// part of its path must begin with "announce", which becomes "scrape". The rest of
// the URL stays as it is, byte for byte. A udp URL serves for both.
func ScrapeURL(announce string) (string, error) {
	u, err := url.Parse(announce)
	if err != nil {
		return "", errors.New("bad URL")
	}
	if u.Scheme == "udp" {
		return announce, nil
	}
	if u.Path == "" {
		return "", ErrNoScrape
	}
	path, _, _ := strings.Cut(announce, "#")
	path, query, hasQuery := strings.Cut(path, "?")
	i := strings.LastIndexByte(path, '/') + 1
	rest, ok := strings.CutPrefix(path[i:], "announce")
	if !ok {
		return "", ErrNoScrape
	}
	if path = path[:i] + "scrape" + rest; hasQuery {
		path += "?" + query
	}
	return path, nil
}

// Scrape asks one tracker after the other of torrents, at most MaxScrape, until one
// answers; it changes nothing at the tracker. The answer has an element for each
// hash, in order. Errors are as those of Announce.
func (c *Client) Scrape(ctx context.Context, hashes [][20]byte) ([]Scraped, error) {
	if len(hashes) < 1 || len(hashes) > MaxScrape {
		return nil, fmt.Errorf("scrape of %d torrents, want 1 to %d", len(hashes), MaxScrape)
	}
	var out []Scraped
	_, err := c.inTurn(ctx, func(u string) (err error) {
		out, err = c.scrapeOne(ctx, u, hashes)
		return err
	})
	return out, err
}

func (c *Client) scrapeOne(ctx context.Context, announce string, hashes [][20]byte) ([]Scraped, error) {
	raw, err := ScrapeURL(announce)
	if err != nil {
		return nil, err
	}
	target, err := parseTrackerURL(raw)
	if err != nil {
		return nil, err
	}
	w := &c.ways[0]
	if target.Scheme == "udp" {
		if w.udp == nil {
			return nil, errNoUDP
		}
		return w.udp.scrape(ctx, target, hashes)
	}
	var b strings.Builder
	b.WriteString(target.RawQuery)
	for _, h := range hashes {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString("info_hash=")
		escape(&b, string(h[:]))
	}
	target.RawQuery, target.Fragment = b.String(), ""
	status, body, err := w.fetch(ctx, target)
	if err != nil {
		return nil, err
	}
	out, err := parseScraped(body, hashes)
	return out, statusError(status, err)
}

// scrapeReply is the dictionary that answers a scrape.
type scrapeReply struct {
	Failure benc.Value `bencode:"failure reason"`
	RetryIn benc.Value `bencode:"retry in"`
	Files   benc.Value `bencode:"files"`
}

// parseScraped reads a reply to a scrape, as leniently as parseReply.
func parseScraped(b []byte, hashes [][20]byte) ([]Scraped, error) {
	var d scrapeReply
	if err := benc.Decode(b, benc.TrackerReplyLimits(), &d); err != nil {
		return nil, fmt.Errorf("reply: %w", err)
	}
	if d.Failure != nil {
		return nil, &RefusedError{Reason: text(d.Failure), RetryIn: parseRetry(d.RetryIn)}
	}
	if !benc.IsDict(d.Files) {
		return nil, errors.New("reply: no files in the answer to a scrape")
	}
	out := make([]Scraped, len(hashes))
	for i, h := range hashes {
		out[i] = unknownScraped
		file, ok := benc.Raw(d.Files, string(h[:]))
		if !ok || !benc.IsDict(file) {
			continue
		}
		of := func(key string) int {
			v, _ := benc.Raw(file, key)
			return count(v)
		}
		out[i] = Scraped{of("complete"), of("incomplete"), of("downloaders"), of("downloaded")}
	}
	return out, nil
}
