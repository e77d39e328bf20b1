package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"starling/cmd/starling/internal/doctor"
)

// What doctor found, in a pipe, on a terminal, and on a narrow one.
func TestDoctorText(t *testing.T) {
	doc := &doctorDoc{Problems: 1, Warnings: 0, Findings: []doctor.Finding{
		{Check: "port :6881/tcp", Level: doctor.OK, Found: "free, for a seed"},
		{Check: "disk", Level: doctor.Problem, Found: "/models/\x1b: permission denied", Cure: "give the user that runs starling the directory: chown"},
	}}
	for width, want := range map[int]string{
		0: `CHECK           RESULT   FOUND
port :6881/tcp  ok       free, for a seed
disk            problem  /models/\x1b: permission denied
                         cure: give the user that runs starling the directory: chown
1 problem, 0 warnings
`,
		70: `CHECK           RESULT   FOUND
port :6881/tcp  ok       free, for a seed
disk            problem  /models/\x1b: permission denied
                         cure: give the user that runs starling the
                         directory: chown
1 problem, 0 warnings
`,
		40: `CHECK           RESULT
    FOUND
port :6881/tcp  ok
    free, for a seed
disk            problem
    /models/\x1b: permission denied
    cure: give the user that runs
    starling the directory: chown
1 problem, 0 warnings
`,
	} {
		got := doctorText(doc, width)
		if got != want {
			t.Errorf("width %d:\n%s\nwant\n%s", width, got, want)
		}
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
				t.Errorf("width %d: a line of %d columns: %s", width, n, line)
			}
		}
	}
}
