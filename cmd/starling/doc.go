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
// internal are pure enough to be tested by tables: units (sizes and rates),
// config (the configuration), report (progress and JSON lines).
//
// # Streams
//
// stdout has the result and nothing else. Progress, logs and errors go to
// stderr.
//
// # What it does not do
//
// No protocol, no storage and no scheduling: those are the packages peer, store
// and tracker. It does not daemonize, write a pid file or rotate logs: that is
// the service manager's.
package main
