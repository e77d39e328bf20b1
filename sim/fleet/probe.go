package fleet

import "starling/peer"

// maxSamples bounds Result.Samples, maxRanges the ranges of pieces in one.
const (
	maxSamples = 2000
	maxRanges  = 128
)

// probe looks at the fleet. Not every look becomes a sample, but the last one
// does.
func (f *fleet) probe(last bool) {
	f.checkBooks()
	s := f.sample()
	if f.probes++; last || f.probes%f.thin == 0 {
		f.keep(s)
	}
	if f.opts.Progress != nil {
		f.opts.Progress(s)
	}
}

// keep adds a sample. When there are too many, every second one goes, and of
// those to come fewer are kept.
func (f *fleet) keep(s Sample) {
	all := append(f.res.Samples, s)
	if len(all) > maxSamples {
		half := all[:0]
		for i := 1; i < len(all); i += 2 {
			half = append(half, all[i])
		}
		if len(all)%2 == 1 {
			half = append(half, s)
		}
		all = half
		f.thin *= 2
	}
	f.res.Samples = all
}

func (f *fleet) sample() Sample {
	s := Sample{At: f.world.Now(), Rarest: len(f.members)}
	leechers, pieces := 0, 0
	for _, m := range f.members {
		if m.spec.Role == Node {
			continue
		}
		sent := int64(m.stats().SentPayload)
		s.UpBytes += sent
		if m.spec.Role == Seed {
			s.SeedBytes += sent
		} else {
			leechers++
			pieces += m.have().Count()
			if m.res.Done >= 0 {
				s.Done++
			}
		}
		if m.eng != nil {
			m.eng.EachRemote(func(r peer.RemoteView) {
				if !r.AmChoking {
					s.Unchoked++
				}
				if r.PeerInterested {
					s.Interested++
				}
			})
		}
	}
	if leechers > 0 {
		s.Progress = float64(pieces) / float64(leechers*f.geo.NumPieces())
	}
	s.Copies = f.ranges(&s.Rarest)
	return s
}

// ranges is the mean count of copies over ranges of pieces.
func (f *fleet) ranges(rarest *int) []float32 {
	n := len(f.copies)
	out := make([]float32, min(n, maxRanges))
	for k := range out {
		from, to := k*n/len(out), (k+1)*n/len(out)
		sum := 0
		for _, c := range f.copies[from:to] {
			sum += int(c)
			*rarest = min(*rarest, int(c))
		}
		out[k] = float32(sum) / float32(to-from)
	}
	return out
}
