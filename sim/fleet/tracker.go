package fleet

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"time"

	"starling/internal/announcer"
	"starling/peer"
	"starling/sim"
	tracking "starling/tracker"
)

// announceTo is the tracker's URL. Nobody resolves its name: see ask.
const announceTo = "http://tracker.sim/announce"

// tracker is the run's: the real one's queries, swarms and replies, without its
// sockets. No fault of the network touches it but its own.
type tracker struct {
	f         *fleet
	local     *tracking.Local
	down      bool
	announces int
}

func (t *tracker) init(f *fleet) {
	t.f = f
	local, err := tracking.NewLocal(f.spec.Tracker.config(), rand.New(rand.NewPCG(f.spec.RNGSeed, 0x7ac4e5)))
	if err != nil {
		panic(err) // Validate has seen to it
	}
	t.local = local
}

func (t *tracker) forget() { t.local.Forget() }

// ask is a tracking.ClientConfig.Get of a host: it takes a round trip.
func (t *tracker) ask(m *member, u *url.URL) (status int, body []byte, err error) {
	m.h.Charge(t.f.spec.Tracker.RTT)
	if t.down {
		return 0, nil, sim.ErrRefused
	}
	t.announces++
	from := netip.MustParseAddrPort(m.h.Addr()).Addr()
	status, body = t.local.Get(t.f.world.Now(), from, u.RawQuery)
	return status, body, nil
}

// announcer is what a process of m announces with: the real client.
func (f *fleet) announcer(m *member) peer.Announcer {
	return &announcer.Announcer{
		Key: m.h.Rand().Uint32(),
		Client: tracking.NewClient(tracking.ClientConfig{
			Tiers: [][]string{{announceTo}}, Rng: m.h.Rand(), Floor: time.Second,
			Get: func(_ context.Context, u *url.URL) (int, []byte, error) { return f.tracker.ask(m, u) },
		}),
	}
}

// goodbye is the last announce of a process that stops in order.
func (f *fleet) goodbye(m *member, last peer.Announce) {
	_, _ = f.announcer(m).Announce(context.Background(), last)
}
