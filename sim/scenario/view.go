package scenario

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"starling/sim/fleet"
)

// view is a read-only value with named fields, as expectations see a result.
// Reading a plain field is noted.
type view struct {
	kind   string // "result", "group", ...
	path   string // how the script got here: "all", "host(\"a\")"
	fields map[string]starlark.Value
	seen   *reading
}

var _ starlark.HasAttrs = (*view)(nil)

func (v *view) String() string        { return "<" + v.kind + ">" }
func (v *view) Type() string          { return v.kind }
func (v *view) Freeze()               {}
func (v *view) Truth() starlark.Bool  { return true }
func (v *view) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: %s", v.kind) }

// AttrNames implements starlark.HasAttrs.
func (v *view) AttrNames() []string {
	names := make([]string, 0, len(v.fields))
	for name := range v.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Attr implements starlark.HasAttrs.
func (v *view) Attr(name string) (starlark.Value, error) {
	f, ok := v.fields[name]
	if !ok {
		return nil, nil // the interpreter says which names there are
	}
	switch f.(type) {
	case starlark.Int, starlark.Float, starlark.String, starlark.Bool:
		v.seen.note(v.at(name), f)
	}
	return f, nil
}

func (v *view) at(name string) string {
	if v.path == "" {
		return name
	}
	return v.path + "." + name
}

// seconds is a time that has come, and infinity if it never did: what did not
// happen is not in time.
func seconds(d time.Duration) starlark.Value {
	if d < 0 {
		return starlark.Float(math.Inf(1))
	}
	return starlark.Float(d.Seconds())
}

func number[N int | int64 | uint64](n N) starlark.Value {
	if n < 0 {
		return starlark.MakeInt64(int64(n))
	}
	return starlark.MakeUint64(uint64(n))
}

// viewResult is the result as a script sees it.
func viewResult(r *fleet.Result, seen *reading) *view {
	counts := starlark.NewDict(len(r.Messages))
	types := make([]string, 0, len(r.Messages))
	for name := range r.Messages {
		types = append(types, name)
	}
	slices.Sort(types)
	for _, name := range types {
		_ = counts.SetKey(starlark.String(name), starlark.MakeUint64(r.Messages[name])) // a string can be a key
	}
	counts.Freeze()
	v := &view{kind: "result", seen: seen}
	v.fields = map[string]starlark.Value{
		"name": starlark.String(r.Name), "rng_seed": number(r.RNGSeed), "trace": starlark.String(r.TraceHash),
		"duration": seconds(r.Virtual), "wall": seconds(r.Wall), "events": number(r.Events), "messages": counts,
		"size": number(r.Size), "piece_length": number(r.PieceLength), "pieces": number(r.Pieces),
		"policy": starlark.String(r.Policy), "picker": starlark.String(r.Strategy),
		"all":         viewGroup(&r.All, "all", seen),
		"seed_copies": starlark.Float(r.SeedCopies), "utilisation": starlark.Float(r.Utilisation),
		"limited_by": starlark.String(r.LimitedBy),
		"group":      starlark.NewBuiltin("group", groupOf(r, seen)),
		"host":       starlark.NewBuiltin("host", hostOf(r, seen)),
		"groups":     views(r.Groups, func(g *fleet.GroupResult) *view { return viewGroup(g, "group(\""+g.Name+"\")", seen) }),
		// What is read of many is not worth telling of each.
		"hosts":      views(r.Hosts, func(h *fleet.HostResult) *view { return viewHost(h, "", &reading{}) }),
		"replies":    views(r.Replies, viewReply),
		"violations": views(r.Violations, viewViolation),
		"samples":    views(r.Samples, viewSample),
	}
	return v
}

func views[T any](of []T, show func(*T) *view) starlark.Value {
	out := make([]starlark.Value, len(of))
	for i := range of {
		out[i] = show(&of[i])
	}
	l := starlark.NewList(out)
	l.Freeze()
	return l
}

func viewGroup(g *fleet.GroupResult, path string, seen *reading) *view {
	ratio := starlark.Float(g.Ratio)
	if g.Last < 0 {
		ratio = starlark.Float(math.Inf(1))
	}
	return &view{kind: "group", path: path, seen: seen, fields: map[string]starlark.Value{
		"name": starlark.String(g.Name), "hosts": number(g.Hosts), "completed": number(g.Completed),
		"p50": seconds(g.P50), "p90": seconds(g.P90), "p99": seconds(g.P99), "p999": seconds(g.P999),
		"last": seconds(g.Last), "bound": seconds(g.Bound), "bound_by": starlark.String(g.BoundName), "ratio": ratio,
	}}
}

func viewHost(h *fleet.HostResult, path string, seen *reading) *view {
	return &view{kind: "host", path: path, seen: seen, fields: map[string]starlark.Value{
		"name": starlark.String(h.Name), "group": starlark.String(h.Group), "rack": starlark.String(h.Rack),
		"role": starlark.String(roleName(h.Role)), "expected": starlark.Bool(h.Expected),
		"arrived": seconds(h.Arrived), "first_byte": seconds(h.FirstByte), "done": seconds(h.Done), "took": seconds(h.Took()),
		"pieces": number(h.Pieces), "received": number(h.Received), "sent": number(h.Sent), "wasted": number(h.Wasted),
		"corrupt": number(h.Corrupt), "bans": number(h.Bans), "remotes": number(h.Remotes),
	}}
}

func roleName(r fleet.Role) string {
	switch r {
	case fleet.Seed:
		return "seed"
	case fleet.Node:
		return "node"
	}
	return "leecher"
}

func viewReply(r *fleet.Reply) *view {
	return &view{kind: "reply", seen: &reading{}, fields: map[string]starlark.Value{
		"at": seconds(r.At), "sender": starlark.String(r.From), "to": starlark.String(r.To),
		"type": starlark.String(r.Type), "data": starlark.String(r.Data), "error": starlark.String(r.Err),
	}}
}

func viewViolation(x *fleet.Violation) *view {
	return &view{kind: "violation", seen: &reading{}, fields: map[string]starlark.Value{
		"at": seconds(x.At), "invariant": starlark.String(x.Invariant), "host": starlark.String(x.Host),
		"detail": starlark.String(x.Detail),
	}}
}

func viewSample(x *fleet.Sample) *view {
	return &view{kind: "sample", seen: &reading{}, fields: map[string]starlark.Value{
		"at": seconds(x.At), "done": number(x.Done), "progress": starlark.Float(x.Progress), "sent": number(x.UpBytes),
		"seed_sent": number(x.SeedBytes), "rarest": number(x.Rarest), "unchoked": number(x.Unchoked),
		"interested": number(x.Interested),
	}}
}

type method = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// groupOf is the method that finds a group by its name.
func groupOf(r *fleet.Result, seen *reading) method {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var name string
		if err := starlark.UnpackArgs("group", args, kwargs, "name", &name); err != nil {
			return nil, err
		}
		for i := range r.Groups {
			if g := &r.Groups[i]; g.Name == name {
				return viewGroup(g, fmt.Sprintf("group(%q)", name), seen), nil
			}
		}
		return nil, fmt.Errorf("there is no group %q", name)
	}
}

// hostOf is the method that finds a host by its name.
func hostOf(r *fleet.Result, seen *reading) method {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var name string
		if err := starlark.UnpackArgs("host", args, kwargs, "name", &name); err != nil {
			return nil, err
		}
		for i := range r.Hosts {
			if h := &r.Hosts[i]; h.Name == name {
				return viewHost(h, fmt.Sprintf("host(%q)", name), seen), nil
			}
		}
		return nil, errors.New("there is no host \"" + name + "\"")
	}
}
