package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"starling/p2p"
	"starling/piece"
	"starling/sim"
)

// Options are what a caller wants to see of a run. They do not change it.
type Options struct {
	// Tap sees every message that a host sends or receives, as on a real
	// network.
	Tap p2p.Tap
	// Progress is called at each probe with the state of the run.
	Progress func(Sample)
}

const port = 6881

// maxViolations bounds Result.Violations: one fault of ours may show at every
// event.
const maxViolations = 100

// fleet is a run.
type fleet struct {
	spec     *Spec
	opts     Options
	geo      piece.Geometry
	infoHash [20]byte
	world    *sim.World
	rng      *rand.Rand
	tracker  tracker
	members  []*member
	byName   map[string]*member
	byAddr   map[string]*member
	heal     []func() // ends of the partitions in force
	left     int      // expected leechers that have not completed
	todo     int      // faults, arrivals and sends to come
	end      time.Duration
	ending   bool // end was set by what happened, not by the deadline
	probes   int
	thin     int     // one probe in so many becomes a sample
	copies   []int32 // by piece: leechers that run and have it
	spare    map[int]*body
	bodies   int // payloads that are not released
	checks   *checker
	res      Result
}

// Run runs a Spec. The error is about the Spec, or ctx's; what the run found
// wrong with the code is in Result.Violations.
func Run(ctx context.Context, s *Spec, o Options) (*Result, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	begun := time.Now()
	f := newFleet(s, o)
	f.build()
	probe := s.Probe
	if probe <= 0 {
		probe = max(f.bound(f.expected()).Bound/50, 10*time.Millisecond)
	}
	for next := probe; ; next += probe {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.run(next) {
			break
		}
		f.probe(false)
	}
	f.probe(true)
	f.finish()
	f.res.Wall = time.Since(begun)
	return &f.res, nil
}

// run lets time pass until a time, and says whether the run has ended before or
// then.
func (f *fleet) run(until time.Duration) (ended bool) {
	f.over()
	for f.world.Step(min(until, f.end)) {
		f.over()
	}
	f.world.Run(min(until, f.end))
	return f.end <= until
}

// over sets the run's end as soon as nothing is to come any more.
func (f *fleet) over() {
	if f.left == 0 && f.todo == 0 && !f.ending {
		f.ending = true
		f.end = min(f.end, f.world.Now()+f.spec.Linger)
	}
}

func newFleet(s *Spec, o Options) *fleet {
	f := &fleet{
		spec: s, opts: o, end: s.Deadline, thin: 1, geo: piece.Geometry{TotalLength: s.Size, PieceLength: s.PieceLength},
		world:  sim.New(sim.Config{Seed: s.RNGSeed, Latency: s.Net.Latency, Quantum: s.Net.Quantum, Queue: s.Net.Queue}),
		rng:    rand.New(rand.NewPCG(s.RNGSeed, 0xf1ee7)),
		byName: map[string]*member{}, byAddr: map[string]*member{}, spare: map[int]*body{},
		infoHash: [20]byte{'s', 'i', 'm'},
	}
	f.copies = make([]int32, f.geo.NumPieces())
	return f
}

// build makes the hosts and sets down what will happen when.
func (f *fleet) build() {
	for _, r := range f.spec.Racks {
		f.world.Rack(r.Name, r.Up, r.Down)
	}
	f.tracker.init(f)
	for i := range f.spec.Hosts {
		f.add(&f.spec.Hosts[i], i)
	}
	f.expect()
	f.checks = newChecker(f)
	f.world.Watch(f.checks)
	for _, m := range f.members {
		f.later(m.spec.Arrive, func() {
			m.res.Arrived = f.world.Now()
			m.start()
		})
	}
	for i := range f.spec.Faults {
		fault := &f.spec.Faults[i]
		f.later(fault.At, func() { f.inflict(fault) })
	}
	for i := range f.spec.Sends {
		send := &f.spec.Sends[i]
		f.later(send.At, func() { f.send(send) })
	}
}

// later has fn called at a time, for which the run goes on.
func (f *fleet) later(at time.Duration, fn func()) {
	f.todo++
	f.world.At(at, func() {
		f.todo--
		fn()
	})
}

func (f *fleet) add(spec *HostSpec, i int) {
	addr := fmt.Sprintf("10.%d.%d.%d:%d", (i+1)>>16, (i+1)>>8&255, (i+1)&255, port)
	h := f.world.Host(sim.HostConfig{
		Addr: addr, Up: spec.Up, Down: spec.Down, Latency: spec.Latency, Loss: spec.Loss, Rack: spec.Rack,
	})
	m := &member{f: f, spec: spec, h: h, slow: 1}
	m.res = HostResult{
		Name: spec.Name, Group: groupOf(spec), Rack: spec.Rack, Role: spec.Role,
		Arrived: -1, FirstByte: -1, Done: -1,
	}
	m.content = newContent(f, h, spec)
	f.members = append(f.members, m)
	f.byName[spec.Name] = m
	f.byAddr[addr] = m
}

func groupOf(s *HostSpec) string {
	if s.Group == "" {
		return "all"
	}
	return s.Group
}

// expect finds out who is to complete: the leechers that are there at the end
// of the faults and tell the truth.
func (f *fleet) expect() {
	gone := map[string]bool{}
	for _, x := range f.inOrder() {
		for _, name := range x.Hosts {
			switch x.Kind {
			case Crash, PowerLoss, Leave:
				gone[name] = true
			case Return:
				gone[name] = false
			}
		}
	}
	for _, m := range f.members {
		m.res.Expected = m.spec.Role == Leecher && !gone[m.spec.Name] && !m.spec.Lies && m.spec.Corrupts == 0
		if m.res.Expected {
			f.left++
		}
	}
}

// expected are the members that are to complete.
func (f *fleet) expected() (ms []*member) {
	for _, m := range f.members {
		if m.res.Expected {
			ms = append(ms, m)
		}
	}
	return ms
}

// body is a right payload of a size.
func (f *fleet) body(n int) *body {
	b := f.spare[n]
	if b == nil {
		b = &body{size: n, out: &f.bodies}
		f.spare[n] = b
	}
	f.bodies++
	return b
}

// gained counts a copy of a piece.
func (f *fleet) gained(s *HostSpec, i int) {
	if s.Role == Leecher {
		f.copies[i]++
	}
}

// counted adds by, 1 or -1, to the copies of each piece that a host has, which
// comes or goes.
func (f *fleet) counted(m *member, by int32) {
	if m.spec.Role != Leecher {
		return
	}
	for i := range f.copies {
		if m.content.verified.Has(i) {
			f.copies[i] += by
		}
	}
}

// violate notes a broken invariant.
func (f *fleet) violate(invariant, host, format string, args ...any) {
	if len(f.res.Violations) < maxViolations {
		f.res.Violations = append(f.res.Violations, Violation{
			At: f.world.Now(), Invariant: invariant, Host: host, Detail: fmt.Sprintf(format, args...),
		})
	}
}
