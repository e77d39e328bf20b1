package webseed

import "context"

// fill reads the content's bytes from off on. Until reach, more of the same is
// expected to be asked for.
func (ln *lane) fill(ctx context.Context, p []byte, off, reach int64) error {
	in := ln.l.g.cfg.Info
	for _, sp := range spans(in, off, len(p)) {
		part := p[:sp.n]
		p = p[sp.n:]
		if sp.pad {
			clear(part)
			continue
		}
		f := &in.Files[sp.file]
		end := min(f.Length, reach-f.Offset, sp.off+maxRange)
		if err := ln.fillFile(ctx, part, sp.file, sp.off, end); err != nil {
			return err
		}
	}
	return nil
}

// fillFile reads a part of one file. A response that breaks off after it has
// brought something is asked for again from there.
func (ln *lane) fillFile(ctx context.Context, p []byte, file int, off, end int64) error {
	for len(p) > 0 {
		if err := ln.seek(ctx, file, off, max(end, off+int64(len(p)))); err != nil {
			return err
		}
		n, err := ln.st.read(p[:min(int64(len(p)), ln.st.end-off)])
		p, off = p[n:], off+int64(n)
		switch {
		case err != nil:
			got := ln.st.got
			ln.drop()
			if got < leastProgress || ctx.Err() != nil {
				return err
			}
		case ln.st.pos == ln.st.end:
			ln.drop()
		}
	}
	return nil
}

// seek has the response under way stand at off of a file, or makes a request for
// what is from there to end.
func (ln *lane) seek(ctx context.Context, file int, off, end int64) error {
	if st := ln.st; st != nil {
		near := off-st.pos <= skip || ln.l.s.whole.Load()
		if st.file == file && st.pos <= off && off < st.end && near {
			return ln.pass(off - st.pos)
		}
		ln.drop()
	}
	st, err := ln.l.s.open(ctx, file, off, end)
	if err != nil {
		return err
	}
	ln.st = st
	return ln.pass(off - st.pos)
}

// pass reads n bytes and throws them away.
func (ln *lane) pass(n int64) error {
	var waste [32 << 10]byte
	for n > 0 {
		m, err := ln.st.read(waste[:min(n, int64(len(waste)))])
		if n -= int64(m); err != nil {
			ln.drop()
			return err
		}
	}
	return nil
}

// drop ends the response under way.
func (ln *lane) drop() {
	if ln.st != nil {
		ln.st.close()
		ln.st = nil
	}
}
