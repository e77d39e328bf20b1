// Command starling distributes files to many hosts at once: a tracker, seeds
// and leechers in one binary.
//
// # Model
//
// One file a verb (leech.go has `starling leech`). A verb's function gets an
// app: its configuration, where results and progress go, and a context that
// ends with the first Ctrl-C or SIGTERM. It returns an error; main prints it as
// one line with a hint and turns it into an exit code (exit.go).
//
// This package is the only one that reads flags and the environment, opens
// listeners, registers metrics and handles signals. The packages beside it in
// internal are tested by themselves: config (the configuration), report (progress and
// JSON lines), doctor (what is wrong with a host), manpage (the manual), service (the
// service manager).
//
// # Signals
//
// The first SIGINT or SIGTERM ends the context, the second the process. SIGHUP has a
// command that said what it can change (reload.go) take a new configuration.
//
// # Streams
//
// stdout has the result and nothing else. Progress, logs and errors go to
// stderr.
//
// # Admin listeners
//
// A peer has one with --metrics-listen (admin.go), a tracker one of its own. Both answer
// through adminHandler (hostnames.go), which adds /debug/ (profiling.go) and has what is
// for this host only answered to no other site's page.
//
// # What it does not do
//
// No protocol, no storage and no scheduling: those are the packages peer, store
// and tracker. It does not daemonize, write a pid file or rotate logs: that is
// the service manager's.
package main
