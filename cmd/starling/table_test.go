package main

import (
	"strings"
	"testing"

	"starling/tracker/fleet"
)

// TestTable: columns line up whatever a terminal draws wide, and a table that is too wide
// for one loses the ends of its longest names, not its numbers.
func TestTable(t *testing.T) {
	rows := func() table {
		return table{{"HOST", ">DONE", "WHY"}, {"主机-1", "9.0%", "its disk is slow"}, {"e\u0301", "100.0%", ""}, {strings.Repeat("long-", 8), "1.0%", "its link is full"}}
	}
	if got, want := rows().text(0), "HOST                                        DONE  WHY\n"+
		"主机-1                                      9.0%  its disk is slow\n"+
		"e\u0301                                         100.0%\n"+
		"long-long-long-long-long-long-long-long-    1.0%  its link is full\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if got, want := rows().text(44), "HOST                  DONE  WHY\n"+
		"主机-1                9.0%  its disk is slow\n"+
		"e\u0301                   100.0%\n"+
		"long-long-long-lo…    1.0%  its link is full\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(rows().text(10)) { // it cannot be that narrow
		if n := columns(strings.TrimRight(line, "\n")); n > 2*leastColumn+2*2+len("100.0%") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// TestFleetPage: a page is never higher than the terminal, if it has more lines than the
// stragglers need; what is left out is counted, and the total stays.
func TestFleetPage(t *testing.T) {
	p := fleetPage{
		head: "now", list: table{{"HOST"}}, more: 5, total: []string{"all"}, late: table{{"STRAGGLER"}, {"slow"}},
	}
	for range 50 {
		p.list = append(p.list, []string{"host"})
	}
	for height := 10; height < 80; height++ {
		lines := strings.Split(p.text(80, height), "\n") // and the one of the cursor
		if want := min(height, 50+8); len(lines) != want {
			t.Errorf("%d lines on a terminal of %d, want %d", len(lines), height, want)
		}
		hosts := 0
		for i, l := range lines {
			if l == "host" {
				hosts++
			}
			if strings.HasPrefix(l, "and ") && (l != "and "+itoa(55-hosts)+" more" || lines[i+1] != "all") {
				t.Errorf("height %d: %d hosts, %q, %q", height, hosts, l, lines[i+1])
			}
		}
	}
	if text := p.text(0, 0); strings.Count(text, "host\n") != 50 || !strings.Contains(text, "and 5 more\nall\n\nSTRAGGLER\nslow\n") {
		t.Errorf("%q", text)
	}
}

func TestWhyText(t *testing.T) {
	for want, s := range map[string]fleet.Straggler{
		"its disk is slow":                      {Slow: fleet.Slow{Why: "disk"}, State: "downloading"},
		"stalled: its peers choke it":           {Slow: fleet.Slow{Why: "choked"}, State: "stalled"},
		"stalled":                               {Slow: fleet.Slow{Why: "none"}, State: "stalled"},
		"not known yet":                         {Slow: fleet.Slow{Why: "none"}, State: "downloading", SeenS: 19},
		"its own rate limit, 20s ago":           {Slow: fleet.Slow{Why: "limit"}, State: "downloading", SeenS: 20},
		"stopped by an error on the host":       {Slow: fleet.Slow{Why: "disk"}, State: "error"},
		"checks what is on its disk, 1m29s ago": {Slow: fleet.Slow{Why: "none"}, State: "checking", SeenS: 89},
		"nothing was heard of it for 1m30s":     {Slow: fleet.Slow{Why: "disk"}, State: "downloading", SeenS: 90},
		"not known yet, 1m00s ago":              {Slow: fleet.Slow{Why: "a word of a later version"}, State: "downloading", SeenS: 60},
	} {
		if got := whyText(&s); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
