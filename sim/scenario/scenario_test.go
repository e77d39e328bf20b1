package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"starling/choke"
	"starling/p2p"
	"starling/piece"
	"starling/sim/fleet"
)

func load(t *testing.T, src string, o Options) *Scenario {
	t.Helper()
	s, err := Load("a.star", []byte(src), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSpec reads a script that uses every part of a Spec.
func TestSpec(t *testing.T) {
	s := load(t, `
# What it is,
# in two lines.
#
# And more.
content(size = "1MiB", piece = "64KiB")
peers(policy = "cooperative", picker = "sequential", max_peers = 7, num_want = 9, slots = 3, optimistic = 2,
      rechoke = "5s", optimistic_for = "15s", turn = "20s", snub = "1m", seed_for = "60s")
network(latency = "3ms", quantum = "16KiB", queue = "40ms")
tracker(interval = 5, rtt = 0.25)
run(deadline = "1m", linger = 2, probe = "100ms", checks = False)
rack("r1", up = "1gbit", down = 1000)
a = seed(up = "8mbit", down = "300MiB/s", disk = "1MiB/s", hash = "2MiB/s")
bs = leechers(2, group = "all of b", name = "b", every = "1s", arrive = 3, rack = "r1", up = lambda i: 1000 * (i + 1),
    loss = 0.5, latency = "1ms", has = 0.25, free_rides = True, corrupts = 0.1, lies = True, policy = "tit-for-tat")
bs += leechers(1, name = "b")
c = leecher("c", down = None)
n = node("n", protocol = "echo", arrive = "1m")
crash(bs, at = 1, until = 2)
power_loss(c, at = 3)
leave("c", at = "4s")
partition([a], at = 5, until = 6)
one_way(a, to = bs, at = 7)
slow(c, 0.1, at = 8, until = 9)
stall(c, at = 10, until = 12)
freeze(c, at = 13, until = 14)
clock_jump(c, at = 15, by = "1h")
disk_full(c, at = 16, until = "17s")
tracker_down(at = 18, until = 19)
tracker_forgets(at = 20)
send(n, a, "NAME", at = 21, data = "x")
expect(lambda r: True, "nothing")
`, Options{RNGSeed: 7, Protocols: map[string]func(*p2p.Node){"echo": func(*p2p.Node) {}}})
	if s.About != "What it is, in two lines." || s.Expectations() != 1 {
		t.Errorf("about %q, %d expectations", s.About, s.Expectations())
	}
	sec := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	want := fleet.Spec{
		Name: "a.star", RNGSeed: 7, Size: 1 << 20, PieceLength: 64 << 10,
		Peer: fleet.PeerSpec{
			Policy: choke.Cooperative, Strategy: piece.Sequential, MaxRemotes: 7, NumWant: 9, SeedFor: time.Minute,
			Choke: choke.Config{
				Slots: 3, Optimistic: 2, Interval: sec(5), OptimisticInterval: sec(15), Turn: sec(20), Snub: time.Minute,
			},
		},
		Net:     fleet.NetSpec{Latency: 3 * time.Millisecond, Quantum: 16 << 10, Queue: 40 * time.Millisecond},
		Tracker: fleet.TrackerSpec{Interval: sec(5), MinInterval: sec(5), RTT: sec(0.25)},
		Racks:   []fleet.RackSpec{{Name: "r1", Up: 125e6, Down: 1000}},
		Hosts: []fleet.HostSpec{
			{Name: "seed", Group: "seed", Role: fleet.Seed, Up: 1e6, Down: 300 << 20, Disk: 1 << 20, Hash: 2 << 20},
			{Name: "b-1", Up: 1000, Arrive: sec(3)}, {Name: "b-2", Up: 2000, Arrive: sec(4)},
			{Name: "b-3", Group: "b"}, {Name: "c", Group: "c"},
			{Name: "n", Group: "n", Role: fleet.Node, Protocol: "echo", Arrive: time.Minute},
		},
		Faults: []fleet.Fault{
			{At: sec(1), Kind: fleet.Crash, Hosts: []string{"b-1", "b-2", "b-3"}},
			{At: sec(2), Kind: fleet.Return, Hosts: []string{"b-1", "b-2", "b-3"}},
			{At: sec(3), Kind: fleet.PowerLoss, Hosts: []string{"c"}},
			{At: sec(4), Kind: fleet.Leave, Hosts: []string{"c"}},
			{At: sec(5), Kind: fleet.Partition, Hosts: []string{"seed"}},
			{At: sec(6), Kind: fleet.Heal},
			{At: sec(7), Kind: fleet.OneWay, Hosts: []string{"seed"}, Others: []string{"b-1", "b-2", "b-3"}},
			{At: sec(8), Kind: fleet.Slow, Hosts: []string{"c"}, Factor: 0.1},
			{At: sec(9), Kind: fleet.Slow, Hosts: []string{"c"}, Factor: 1},
			{At: sec(10), Kind: fleet.Stall, Hosts: []string{"c"}, For: sec(2)},
			{At: sec(13), Kind: fleet.Freeze, Hosts: []string{"c"}, For: sec(1)},
			{At: sec(15), Kind: fleet.ClockJump, Hosts: []string{"c"}, For: time.Hour},
			{At: sec(16), Kind: fleet.DiskFull, Hosts: []string{"c"}, For: sec(1)},
			{At: sec(18), Kind: fleet.TrackerDown},
			{At: sec(19), Kind: fleet.TrackerUp},
			{At: sec(20), Kind: fleet.TrackerLost},
		},
		Sends:    []fleet.Send{{At: sec(21), From: "n", To: "seed", Type: p2p.T("NAME"), Data: "x"}},
		Deadline: time.Minute, Linger: sec(2), Probe: sec(0.1), Unchecked: true,
	}
	for i := 1; i <= 2; i++ {
		h := &want.Hosts[i]
		h.Group, h.Rack, h.Loss, h.Latency, h.Has = "all of b", "r1", 0.5, time.Millisecond, 0.25
		h.FreeRides, h.Corrupts, h.Lies, h.Policy = true, 0.1, true, choke.TitForTat
	}
	got := s.Spec
	got.Protocols = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestErrors: what is wrong is said in one line that begins with where it is.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "a.star: there is no host"},
		{"seed(", "a.star:1: got end of file"},
		{"x = 1\nnothing()", "a.star:2: undefined: nothing"},
		{"seed()\nseed()", "a.star:2: seed: there is already a host seed; give another name="},
		{"def f():\n  seed(up = 'fast')\nf()", `a.star:2: seed: for parameter "up": rate "fast": write 200MiB/s or 20mbit`},
		{"seed(up = 0)", `for parameter "up": got int 0, want a rate`},
		{"seed(up = '0')", `a rate of 0`},
		{"seed(loss = 2)", "got int 2, want a share within 0 and 1"},
		{"seed(rack = 'r')", `seed: seed: there is no rack "r"`},
		{"seed(policy = 'kind')", `no policy "kind", want tit-for-tat or cooperative`},
		{"seed(name = '')", "a name has 1 to 64 bytes"},
		{"seed(lies = True)", `seed: unexpected keyword argument "lies"`},
		{"leechers(2, up = lambda i: 'x' if i else '8mbit')", `leechers: leecher-2: rate "x"`},
		{"leechers(2, up = lambda i: 1 // i)", "a.star:1: leechers: leecher-1: floored division by zero"},
		{"leechers(20001)", "20001 of them, want 0 to 20000"},
		{"leechers(20000)\nseed()", "a.star:2: seed: more than 20000 hosts"},
		{"leechers(20000, every = '80000h')", "after more than ten years"},
		{"leechers(2, free_rides = 1)", "got int 1, want True or False"},
		{"leecher('a', group = 1)", "got int 1, want text"},
		{"node('n', protocol = 'chord')", `node: n: there is no protocol "chord"`},
		{"rack('r')", "rack: r needs up= and down="},
		{"rack('r', up = 1, down = 1)\nrack('r', up = 1, down = 1)", `a.star:2: rack: there is already a rack "r"`},
		{"content(size = 0)", "content: its size is 0"},
		{"content(size = -1)", "got int -1, want a size"},
		{"content(size = '1MB')", `for parameter "size": size`},
		{"content(piece = '100KiB')", "a piece of 102400 bytes, want a power of two"},
		{"content(format = 'hybrid')", `content: no format "hybrid", want v1 or v2`},
		{"content(size = '8TiB', piece = '16KiB')", "content: 536870912 pieces, want at most"},
		{"peers(policy = 'x')", `peers: no policy "x"`},
		{"peers(picker = 'x')", `peers: no picker "x", want rarest, random or sequential`},
		{"peers(slots = 0)", "peers: choke: 0 slots"},
		{"peers(max_peers = 0)", "peers: max_peers 0"},
		{"peers(seed_for = 'long')", `got string "long", want a time such as`},
		{"network(latency = -1)", "-1s is not within 0s and ten years"},
		{"network(quantum = '2GiB')", "want at most 1GiB"},
		{"network(queue = -1)", "-1s is not within 0s and ten years"},
		{"seed()\nnetwork(queue = '2m')", "the uplinks' queue is 2m0s"},
		{"tracker(interval = 0)", "tracker: its interval is 0"},
		{"run(deadline = 0)", "run: its deadline is 0"},
		{"crash('x', at = 1)", `crash: there is no host "x" so far`},
		{"crash([1], at = 1)", "got int 1 in the list, want names of hosts"},
		{"crash(1, at = 1)", "got int 1, want a host's name or a list of names"},
		{"crash(seed(), at = 2, until = 1)", "crash: until 1s is not after at 2s"},
		{"stall(seed(), at = 2)", "stall: missing argument for until"},
		{"stall(seed(), at = 2, until = None)", "stall: give until="},
		{"slow(seed(), 0)", "slow: a factor of 0, want 0.1"},
		{"one_way(seed(), to = 'x', at = 1)", `one_way: there is no host "x"`},
		{"clock_jump('x', at = 1, by = 1)", `clock_jump: there is no host "x"`},
		{"a = seed()\nfor _ in range(10001):\n  crash(a, at = 1)", "a.star:3: crash: more than 10000 faults"},
		{"l = leechers(2000)\nfor _ in range(501):\n  crash(l, at = 1)", "the faults name more than 1000000 hosts"},
		{"for _ in range(10001):\n  tracker_forgets(at = 1)", "tracker_forgets: more than 10000 faults"},
		{"a = seed()\nsend(a, a, 'LONGER', at = 1)", `a type "LONGER", want 4 bytes`},
		{"a = seed()\nsend(a, 'b', 'NAME', at = 1)", `send: there is no host "b"`},
		{"a = seed()\nsend(a, a, 'NAME', at = 1, data = 'x' * 5000)", "5000 bytes of data"},
		{"a = seed()\nfor _ in range(10001):\n  send(a, a, 'NAME', at = 1)", "send: more than 10000 messages"},
		{"for i in range(1001):\n  expect(lambda r: True, 'x')", "more than 1000 expectations"},
		{"expect(1, 'x')", "for parameter test: got int, want callable"},
		{"for i in range(2001):\n  rack('r%d' % i, up = 1, down = 1)", "more than 2000 racks"},
		{"for i in range(101):\n  param('p%d' % i, 1)", "more than 100 parameters"},
		{"param('a b', 1)", `"a b" is not a name`},
		{"param('a', 1)\nparam('a', 1)", "a.star:2: param: a is declared twice"},
		{"load('b.star', 'x')", "a.star:1: load not implemented"},
		{"for _ in range(100000000):\n  pass", "more than 20000000 steps"},
		{"fail('no', 'way')", "a.star:1: fail: no way"},
		{"sample([1], 2)", "sample: 2 of 1"},
		{"sample(1, 2)", "got int, want a list"},
		{"uniform(2, 1)", "no whole number within 2 and 1"},
		{"uniform(2.5, 1)", "uniform: 2.5 is above 1"},
		{"uniform(None, 1)", "got NoneType None, want a time"},
		{"exponential(-1)", "want a mean of at least 0"},
		{"chance(2)", "want a share within 0 and 1"},
		{"sum(['a'])", "sum: got string"},
	} {
		_, err := Load("a.star", []byte(c.src), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", c.src, err, c.want)
		} else if !strings.HasPrefix(err.Error(), "a.star:") {
			t.Errorf("%q: %v does not say where", c.src, err)
		}
	}
	if _, err := Load("a.star", make([]byte, MaxSource+1), Options{}); err == nil {
		t.Error("a script of more than MaxSource was read")
	}
}

func TestParams(t *testing.T) {
	const src = `
n = param("n", 3, "how many")
f = param("f", 0.5)
b = param("b", False)
s = param("s", "1MiB")
content(size = s)
leechers(n, has = f, lies = b)
`
	s := load(t, src, Options{Set: map[string]string{"n": "5", "f": "1", "b": "true", "s": "64KiB"}})
	h := s.Spec.Hosts
	if len(h) != 5 || h[0].Has != 1 || !h[0].Lies || s.Spec.Size != 64<<10 {
		t.Errorf("%d hosts, %+v, %d bytes", len(h), h[0], s.Spec.Size)
	}
	want := []Param{{"n", "how many", "3", "5"}, {"f", "", "0.5", "1.0"}, {"b", "", "false", "true"}, {"s", "", "1MiB", "64KiB"}}
	if !reflect.DeepEqual(s.Params, want) {
		t.Errorf("%+v", s.Params)
	}
	for set, want := range map[string]string{
		"m=1":   "a.star: no parameter m; it has n, f, b, s",
		"n=1.5": `a.star:2: parameter n: "1.5" is not a whole number`,
		"f=x":   `"x" is not a number`,
		"b=x":   `"x" is not true or false`,
		"s=x":   `a.star:6: content: for parameter "size": size`,
	} {
		name, value, _ := strings.Cut(set, "=")
		if _, err := Load("a.star", []byte(src), Options{Set: map[string]string{name: value}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
	if _, err := Load("a.star", []byte("seed()"), Options{Set: map[string]string{"x": "1"}}); err == nil || !strings.Contains(err.Error(), "no parameter x; it has none") {
		t.Error(err)
	}
	if _, err := Load("a.star", []byte("param('l', [1])"), Options{Set: map[string]string{"l": "1"}}); err == nil || !strings.Contains(err.Error(), "a default of type list") {
		t.Error(err)
	}
}

// TestChance: the rng seed is all that a script's chance depends on, and each
// function draws from what it says.
func TestChance(t *testing.T) {
	const src = `
names = leechers(50, arrive = lambda i: exponential("1s"), has = lambda i: uniform(0.25, 0.5))
crash(sample(names, 10), at = uniform("1s", "2s"))
if chance(0.5):
    leave(shuffle(names)[0], at = uniform(3, 5))
print(rng_seed, size("1KiB"), rate("8kbit"), seconds("1m30s"), sum([1, 2]), sum([1, 0.5]), math.floor(1.5))
`
	var printed string
	o := Options{RNGSeed: 1, Print: func(line string) { printed = line }}
	a, b := load(t, src, o), load(t, src, o)
	if !reflect.DeepEqual(a.Spec, b.Spec) {
		t.Error("the same seed is not the same run")
	}
	if printed != "1 1024 1000.0 90.0 3 1.5 1" {
		t.Errorf("printed %q", printed)
	}
	leaving := 0
	for seed := range uint64(64) {
		s := load(t, src, Options{RNGSeed: seed})
		if seed != 1 && reflect.DeepEqual(s.Spec.Hosts, a.Spec.Hosts) {
			t.Errorf("seed %d is the same run as seed 1", seed)
		}
		mean := time.Duration(0)
		for _, h := range s.Spec.Hosts {
			mean += h.Arrive / 50
			if h.Has < 0.25 || h.Has > 0.5 || h.Arrive%time.Microsecond != 0 {
				t.Fatalf("%+v", h)
			}
		}
		if mean < 300*time.Millisecond || mean > 3*time.Second {
			t.Errorf("seed %d: a mean of %v, want about 1s", seed, mean)
		}
		f := s.Spec.Faults[0]
		seen := map[string]bool{}
		for _, name := range f.Hosts {
			seen[name] = true
		}
		if len(seen) != 10 || f.At < time.Second || f.At > 2*time.Second {
			t.Errorf("%+v", f)
		}
		if len(s.Spec.Faults) == 2 {
			leaving++
			if at := s.Spec.Faults[1].At; at < 3*time.Second || at > 5*time.Second || at%time.Second != 0 {
				t.Errorf("left at %v", at)
			}
		}
	}
	if leaving < 16 || leaving > 48 {
		t.Errorf("chance(0.5) was true %d times of 64", leaving)
	}
}
