// Package scenario turns a script into a run: a fleet.Spec, the parameters that
// a caller may set, and what the run is expected to show.
//
// A script is Starlark (go.starlark.net): a small Python without files, network
// or clock. It runs once, before the simulation, and describes it: content,
// network, hosts, faults at times, messages to send. Chance in it (sample,
// exponential, ...) comes from the run's rng seed, so that a script and a seed
// are one run. What it expects are functions, called after the run with a
// read-only view of the fleet.Result. The functions of a script are listed in
// builtins.go and described in docs/scenarios.md.
//
// The presets and the bars are scripts in this package's folders presets and
// bars; each is also an example to copy.
//
// Callers: `starling sim`, and tests. A script has bounds on its size, steps,
// hosts, faults and messages, so it ends; its memory is not bounded, for it is
// a program of whoever runs it. The package runs no simulation itself.
package scenario
