package fleet

// Summarize fills in what follows from the hosts and samples of r: who was to
// complete, the groups, the copies that the seeds sent, the use of the uplinks
// and what limited the run. It is for a run of s that was made elsewhere, on a
// real network; r.Hosts are those of s, in order.
func Summarize(s *Spec, r *Result) {
	f := &fleet{spec: s, res: *r}
	for i := range s.Hosts {
		f.members = append(f.members, &member{f: f, spec: &s.Hosts[i], res: r.Hosts[i]})
	}
	f.expect()
	for i, m := range f.members {
		f.res.Hosts[i].Expected = m.res.Expected
	}
	f.groups()
	f.efficiency()
	f.diagnose()
	*r = f.res
}
