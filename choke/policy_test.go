package choke

import (
	"slices"
	"strings"
	"testing"
)

// TestDecisions asks each policy one question at t = 1000 s. Where chance
// decides, the possible answers are given with a bar between them.
func TestDecisions(t *testing.T) {
	small := Default()
	small.Slots, small.Optimistic = 2, 1
	tests := []struct {
		name   string
		policy func(Config) Policy
		fill   bool
		rs     string
		want   string
	}{
		{"best rates and one more", NewTitForTat, false, "1:i,down=10 2:i,down=30 3:i,down=20 4:i", "1* 2 3|2 3 4*"},
		{"only interested", NewTitForTat, false, "1:i,down=10 2,down=30 3:i,down=20", "1 3"},
		{"ties by id", NewTitForTat, false, "3:i,down=5 2:i,down=5 1:i,down=5", "1 2 3*"},
		{"an equal does not displace", NewTitForTat, false, "1:i,down=5 2:iu,down=5,since=990 3:iu,down=5,since=990", "1* 2 3"},
		{"nobody earns: all on trial", NewTitForTat, false, "1:i 2:i 3:i", "1* 2* 3*"},
		{"snubbed only on trial", NewTitForTat, false, "1:is,down=90 2:i,down=1", "1* 2"},
		{"one that waits before an old trial", NewTitForTat, false, "1:i,down=9 2:i,down=8 3:iu,since=100 4:i", "1 2 4*"},
		{"no slot idle", NewTitForTat, false, "1:i,down=9 2:i,down=8 3:iu,since=100", "1 2 3*"},
		{"a seed wants nothing", NewTitForTat, false, "1:iS,down=9 2:i,down=8", "2"},
		{"lost interest, nobody waits", NewTitForTat, false, "1:u,down=9 2:i,down=8", "1 2"},
		{"lost interest, others wait", NewTitForTat, false, "1:u,down=9 2:i,down=8 3:i 4:i", "2 3* 4*"},
		{"nobody", NewTitForTat, false, "", ""},
		{"fill keeps who is served", NewTitForTat, true, "1:iu,down=1,since=990 2:iu,since=990 3:i,down=99 4:i,down=98", "1 2 3*|1 2 4*"},
		{"fill gives by merit first", NewTitForTat, true, "1:iu,down=1,since=990 2:i,down=5 3:i", "1 2 3*"},
		{"fill takes an idle slot", NewTitForTat, true, "1:iu,since=990 2:iu,since=990 3:u,since=990 4:i", "1 2 4*"},
		{"fill with none free", NewTitForTat, true, "1:iu,since=1 2:iu,since=1 3:iu,since=1 4:i,down=7", "1 2 3"},

		{"who waited longest", NewSeeding, false, "1:i,joined=4 2:i,joined=3 3:i,joined=2 4:i,joined=1", "2 3 4"},
		{"one served before waits from then", NewSeeding, false, "1:i,since=500 2:i,joined=3 3:i,joined=520 4:i,joined=600", "1 2 3"},
		{"joined together: who lacks most", NewSeeding, false, "1:i,has=.5 2:i,has=.4 3:i,has=.3 4:i,has=.2", "2 3 4"},
		{"a turn is kept", NewSeeding, false, "1:iu,since=980 2:iu,since=980 3:iu,since=980 4:i 5:i", "1 2 3"},
		{"a turn ends", NewSeeding, false, "1:iu,since=970 2:iu,since=980 3:iu,since=960 4:i 5:i", "2 4 5"},
		{"who had most yields", NewSeeding, false, "1:iu,since=970 2:iu,since=965 3:iu,since=960 4:i", "1 2 4"},
		{"a turn ends at the nearest tick", NewSeeding, false, "1:iu,since=970.01 2:iu,since=980 3:iu,since=980 4:i", "2 3 4"},
		{"nobody waits: all go on", NewSeeding, false, "1:iu,since=1 2:iu,since=2 3:iu,since=3", "1 2 3"},
		{"fill ends no turn", NewSeeding, true, "1:iu,since=1 2:iu,since=2 3:iu,since=3 4:i", "1 2 3"},
		{"fill queues", NewSeeding, true, "1:iu,since=1 2:i,joined=9 3:i,joined=8 4:i,joined=7", "1 3 4"},

		{"poorest first", NewCooperative, false, "1:i,has=.9 2:i,has=.1 3:i,has=.6 4:i,has=.3", "2 4"},
		{"near ones by chance", NewCooperative, false, "1:i,has=.1 2:i,has=.2 3:i,has=.15 4:i,has=.9", "1 2|1 3|2 3"},
		{"nothing to serve", NewCooperative, false, "1:i,left=0 2:i,has=.9", "2"},
		{"poorer displaces", NewCooperative, false, "1:iu,has=.4,up=1,since=990 2:iu,has=.1,up=1,since=990 3:i,has=.1", "2 3"},
		{"a little poorer does not", NewCooperative, false, "1:iu,has=.4,up=1,since=990 2:iu,has=.4,up=1,since=990 3:i,has=.36", "1 2"},
		{"equal stays", NewCooperative, false, "1:i 2:iu,up=1,since=1 3:iu,up=1,since=1 4:i", "2 3"},
		{"an unused slot is passed on", NewCooperative, false, "1:iu,since=990 2:i,has=.5 3:i,has=.5", "2 3"},
		{"an unused slot nobody needs", NewCooperative, false, "1:iu,since=990 2:i,has=.5", "1 2"},
		{"nobody is tried", NewCooperative, false, "1:i,has=.9 2:i 3:i,has=.4 4", "2 3"},
		{"nothing left for it, others wait", NewCooperative, false, "1:iu,left=0,up=1,since=990 2:i 3:i", "2 3"},
		{"nothing left for it, nobody waits", NewCooperative, false, "1:u,left=0,up=1,since=990 2:i", "1 2"},
		{"fill displaces nobody soon", NewCooperative, true, "1:iu,has=.9,since=999 2:iu,has=.9,since=999 3:i", "1 2"},
		{"fill: poorest first", NewCooperative, true, "1:iu,has=.9,since=999 2:i,has=.5 3:i,has=.8 4:i,has=.2", "1 4"},
		{"fill takes the slot of an idle one", NewCooperative, true, "1:iuz 2:iu,has=.9 3:i,has=.9", "2 3"},
		{"fill: idle, and nobody waits", NewCooperative, true, "1:iuz 2:iu,has=.9", "1 2"},
		{"an idle one keeps its slot in tit-for-tat", NewTitForTat, true, "1:iuz,since=990 2:iu,since=990 3:iu,since=990 4:i", "1 2 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.policy(small)
			ask := p.Rechoke
			if tt.fill {
				ask = p.Fill
			}
			got := show(ask(at(1000), remotes(t, tt.rs), newRand(1)))
			if !slices.Contains(strings.Split(tt.want, "|"), got) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
