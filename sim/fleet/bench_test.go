package fleet

import "testing"

// BenchmarkEvents is how many events of a flash crowd a second of the computer
// simulates: 100 leechers, 128 pieces, without the checks.
func BenchmarkEvents(b *testing.B) {
	for _, policy := range []string{"tit-for-tat", "cooperative"} {
		b.Run(policy, func(b *testing.B) {
			var events uint64
			for b.Loop() {
				s := crowd(100, 128)
				s.Peer.Policy, s.Unchecked = policy, true
				r, err := Run(b.Context(), &s, Options{})
				if err != nil {
					b.Fatal(err)
				}
				events += r.Events
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
