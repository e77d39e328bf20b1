package doctor

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each kind of finding from staged measurements: its level, what it says, and that
// whatever is not ok has a cure.
func TestJudges(t *testing.T) {
	port := Port{Network: "tcp", Addr: ":6881", For: "a seed", Option: "seed --listen"}
	good := volume{known: true, kind: "ext4", total: 100 << 30, free: 50 << 30, files: 1e6, filesFree: 9e5}
	with := func(change func(*volume)) volume {
		v := good
		change(&v)
		return v
	}
	last := func(list []Finding) Finding { return list[len(list)-1] }
	fast := speed{write: 200 << 20, sync: time.Millisecond}
	for name, c := range map[string]struct {
		got   Finding
		level Level
		says  string
	}{
		"clock agrees":        {judgeClock(skew{true, 900 * time.Millisecond}, syncNo), OK, "agrees"},
		"clock ahead":         {judgeClock(skew{true, 40 * time.Second}, syncYes), Warning, "40s ahead of the tracker's"},
		"clock behind":        {judgeClock(skew{true, -26 * time.Hour}, syncYes), Problem, "1d02h behind the tracker's"},
		"clock free-running":  {judgeClock(skew{}, syncNo), Warning, "nothing keeps it right"},
		"clock kept":          {judgeClock(skew{}, syncYes), OK, "kept right"},
		"clock unknown":       {judgeClock(skew{}, syncUnknown), OK, "--tracker"},
		"port free":           {judgePort(port, nil, nil), OK, "free, for a seed"},
		"port ours":           {judgePort(port, syscall.EADDRINUSE, []program{{7, "starling"}, {9, "starling"}}), OK, "starling (pid 7), starling (pid 9)"},
		"port half ours":      {judgePort(port, syscall.EADDRINUSE, []program{{7, "starling"}, {9, "nginx"}}), Problem, "nginx (pid 9)"},
		"port taken":          {judgePort(port, os.NewSyscallError("bind", syscall.EADDRINUSE), []program{{7, "nginx"}}), Problem, "taken by nginx (pid 7)"},
		"port taken unseen":   {judgePort(port, syscall.EADDRINUSE, nil), Problem, "another program"},
		"port privileged":     {judgePort(port, syscall.EACCES, nil), Problem, "not permitted"},
		"port elsewhere":      {judgePort(port, syscall.EADDRNOTAVAIL, nil), Problem, "no address of this host"},
		"few descriptors":     {judgeDescriptors(limit{known: true, now: 64}, false), Problem, "at most 64"},
		"some descriptors":    {judgeDescriptors(limit{known: true, now: 512}, false), Warning, "may want 1,024"},
		"enough descriptors":  {judgeDescriptors(limit{known: true, now: 1024}, false), OK, "1,024"},
		"a tracker's":         {judgeDescriptors(limit{known: true, now: 1024}, true), Warning, "may want 20,500"},
		"a tracker's, few":    {judgeDescriptors(limit{known: true, now: 512}, true), Problem, "too few for a tracker"},
		"read-only":           {last(judgeVolume("/d", with(func(v *volume) { v.readOnly = true }))), Problem, "mounted read-only"},
		"memory disk":         {judgeVolume("/d", with(func(v *volume) { v.kind = "tmpfs" }))[0], Warning, "is memory"},
		"network disk":        {judgeVolume("/d", with(func(v *volume) { v.kind = "nfs" }))[0], Warning, "over the network"},
		"good disk":           {judgeVolume("/d", good)[0], OK, "ext4"},
		"full":                {last(judgeVolume("/d", with(func(v *volume) { v.free = 10 << 20 }))), Problem, "10.0 MiB free of 100.0 GiB"},
		"nearly full":         {last(judgeVolume("/d", with(func(v *volume) { v.free = 1 << 30 }))), Warning, "1.0 GiB free"},
		"no inodes":           {last(judgeVolume("/d", with(func(v *volume) { v.filesFree = 3 }))), Problem, "room for 3 files"},
		"inodes not counted":  {last(judgeVolume("/d", with(func(v *volume) { v.files, v.filesFree = 0, 0 }))), OK, "50.0 GiB free"},
		"fast disk":           {judgeSpeed("/d", fast, nil), OK, "200 MiB/s"},
		"slow disk":           {judgeSpeed("/d", speed{20 << 20, time.Millisecond}, nil), Warning, "20.0 MiB/s"},
		"crawling disk":       {judgeSpeed("/d", speed{1 << 20, time.Millisecond}, nil), Problem, "1.00 MiB/s"},
		"slow sync":           {judgeSpeed("/d", speed{200 << 20, 300 * time.Millisecond}, nil), Warning, "300ms"},
		"hanging sync":        {judgeSpeed("/d", speed{200 << 20, 3 * time.Second}, nil), Problem, "3.0s to make"},
		"out of reach":        {judgePlace("/d", &fs.PathError{Op: "stat", Path: "/d", Err: syscall.EACCES}), Problem, "/d: permission denied"},
		"not permitted":       {judgeSpeed("/d", speed{}, &fs.PathError{Op: "open", Path: "/d/x", Err: syscall.EACCES}), Problem, "permission denied"},
		"disk failed":         {judgeSpeed("/d", speed{}, &fs.PathError{Op: "sync", Path: "/d/x", Err: syscall.EIO}), Problem, "/d: input/output error"},
		"no network":          {judgeMTU(nil, 0), Warning, "no interface"},
		"ethernet":            {judgeMTU([]link{{"eth0", 1500}}, 1500), OK, "eth0 1500, path to the tracker 1500"},
		"overlay network":     {judgeMTU([]link{{"eth0", 1400}}, 0), OK, "eth0 1400"},
		"narrow":              {judgeMTU([]link{{"eth0", 1500}, {"tun0", 1300}}, 0), Warning, "tun0 1300"},
		"narrow path":         {judgeMTU([]link{{"eth0", 9000}}, 1300), Warning, "path to the tracker 1300"},
		"too narrow":          {judgeMTU([]link{{"eth0", 1500}, {"tun0", 1000}}, 0), Problem, "breaks IPv6"},
		"too narrow path":     {judgeMTU([]link{{"eth0", 1500}}, 576), Problem, "breaks IPv6"},
		"hashes fast":         {judgeHashing(hashing{instructions{true, true, true}, 1 << 30, 1 << 30}), OK, "with SHA instructions"},
		"hashes slowly":       {judgeHashing(hashing{instructions{known: true}, 200 << 20, 100 << 20}), Warning, "without SHA instructions"},
		"hashes, unknown":     {judgeHashing(hashing{instructions{}, 1 << 30, 1 << 30}), OK, "SHA-256 1.00 GiB/s"},
		"memory":              {judgeMemory(memory{known: true, total: 8 << 30, available: 4 << 30}), OK, "4.0 GiB available of 8.0 GiB"},
		"little memory":       {judgeMemory(memory{known: true, total: 8 << 30, available: 300 << 20}), Warning, "300.0 MiB"},
		"no memory":           {judgeMemory(memory{known: true, total: 8 << 30, available: 30 << 20}), Problem, "too little"},
		"group without limit": {judgeMemory(memory{known: true, total: 8 << 30, available: 1 << 30, group: 2 << 30}), Warning, "control group"},
		"group with limit":    {judgeMemory(memory{known: true, total: 8 << 30, available: 1 << 30, group: 2 << 30, goLimit: true}), OK, "control group"},
		"environment":         {last(judgeEnvironment(nil)), OK, "no STARLING_ variable"},
		"a slip":              {last(judgeEnvironment([]Variable{{"STARLING_DOWN_LIMT", "STARLING_LEECH_DOWN_LIMIT"}})), Warning, "nothing reads STARLING_DOWN_LIMT"},
		"no slip":             {last(judgeEnvironment([]Variable{{"STARLING_DOWN_LIMT", ""}})), Warning, "nothing reads STARLING_DOWN_LIMT"},
		"many slips":          {last(judgeEnvironment(make([]Variable, maxVariables+3))), Warning, "nothing reads 3 more variables"},
	} {
		if c.got.Level != c.level || !strings.Contains(c.got.Found, c.says) {
			t.Errorf("%s: %+v, want %s with %q", name, c.got, c.level, c.says)
		}
		if (c.got.Cure == "") != (c.got.Level == OK) {
			t.Errorf("%s: level %s with the cure %q", name, c.got.Level, c.got.Cure)
		}
	}
	if got := judgePlace("/d", syscall.EACCES).Cure; !strings.Contains(got, "chmod") {
		t.Errorf("cure of a directory out of reach: %q", got)
	}
	if got := judgeMemory(memory{known: true, total: 8 << 30, available: 1 << 30, group: 1000 << 20}).Cure; !strings.Contains(got, "GOMEMLIMIT=900MiB") {
		t.Errorf("cure of a control group of 1000 MiB: %q", got)
	}
}

func TestSkew(t *testing.T) {
	sent := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for _, c := range []struct {
		took   time.Duration
		date   time.Time
		within time.Duration // of
		ahead  time.Duration
	}{
		{20 * time.Millisecond, sent, clockSlack, 0},
		{20 * time.Millisecond, sent.Add(-time.Second), clockSlack, 0}, // the text is a second old
		{4 * time.Second, sent.Add(2 * time.Second), clockSlack, 0},
		{20 * time.Millisecond, sent.Add(time.Hour), time.Second, -time.Hour},
		{20 * time.Millisecond, sent.Add(-time.Hour), time.Second, time.Hour},
	} {
		s := skewOf(sent, sent.Add(c.took), c.date)
		if !s.known || (s.ahead-c.ahead).Abs() > c.within {
			t.Errorf("answer after %s dated %s: ahead by %s, want %s", c.took, c.date, s.ahead, c.ahead)
		}
	}
}

func TestCount(t *testing.T) {
	list := []Finding{ok("a", ""), problem("b", "c", ""), warning("d", "e", ""), problem("f", "g", "")}
	if Count(list, Problem) != 2 || Count(list, Warning) != 1 || Count(list, OK) != 1 {
		t.Errorf("counts of %v", list)
	}
	if got := pathless(errors.New("x")).Error(); got != "x" {
		t.Errorf("an error without a path became %q", got)
	}
}
