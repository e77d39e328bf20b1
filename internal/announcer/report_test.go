package announcer

import (
	"context"
	"net/url"
	"testing"
	"time"

	"starling/peer"
	"starling/tracker"
)

// TestReport: a report goes to a tracker that asked for one, with what the host is
// called, in the words that a tracker reads.
func TestReport(t *testing.T) {
	var said url.Values
	a := &Announcer{
		Reports: true, Self: []tracker.Param{{Name: "x_node", Value: "me"}},
		Client: tracker.NewClient(tracker.ClientConfig{
			Tiers: [][]string{{"http://tracker/announce"}},
			Get: func(_ context.Context, u *url.URL) (int, []byte, error) {
				said = u.Query()
				return 200, []byte("d8:intervali60e5:peers0:8:x_reporti7ee"), nil
			},
		}),
	}
	report := &peer.Report{
		State: peer.StateDownloading, Why: peer.WhyDisk, Size: 100, Done: 40, Down: 7, Up: 3, LeftS: 9,
		From: []peer.Feed{{Addr: "10.0.0.1:6881", Rate: 5}, {Addr: "a.name:6881", Rate: 4}, {Addr: "x", Web: true, Rate: 2}, {Addr: "[fd00::1]:1", Rate: 1}},
	}
	report.Have[0] = 255
	for i := range 2 {
		out, err := a.Announce(t.Context(), peer.Announce{Port: 1, Report: report})
		if err != nil || out.ReportIn != 7*time.Second {
			t.Fatalf("%+v, %v", out, err)
		}
		if i == 0 && (said.Get("x_report") != "1" || said.Has("x_size") || said.Has("x_node")) {
			t.Errorf("before it was asked: %v", said)
		}
	}
	for key, want := range map[string]string{
		"x_report": "1", "x_size": "100", "x_done": "40", "x_down": "7", "x_up": "3", "x_left_s": "9", "x_state": "downloading",
		"x_why": "disk", "x_node": "me", "x_from": "0a0000011ae1-5.web-2.fd0000000000000000000000000000010001-1",
	} {
		if got := said.Get(key); got != want {
			t.Errorf("%s=%q, want %q", key, got, want)
		}
	}
	if got := said.Get("x_have"); len(got) != 86 || got[:2] != "_w" {
		t.Errorf("x_have=%q", got)
	}
	report.LeftS, report.From = -1, nil
	if _, err := a.Announce(t.Context(), peer.Announce{Port: 1, Report: report}); err != nil || said.Has("x_left_s") || said.Has("x_from") {
		t.Errorf("what is not known: %v, %v", said, err)
	}
	a.Reports = false
	if _, err := a.Announce(t.Context(), peer.Announce{Port: 1, Report: report}); err != nil || said.Has("x_report") || said.Has("x_size") {
		t.Errorf("without reports: %v, %v", said, err)
	}
}
