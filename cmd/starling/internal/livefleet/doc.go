// Package livefleet runs a small fleet.Spec on real TCP: a tracker, and the
// sessions of peers with their own files, all in this process on the loopback
// interface, in real time. What it finds is a fleet.Result like that of the
// virtual network, so that reports and expectations are the same.
//
// Run refuses what this network cannot do (racks, loss, partitions, clocks that
// leap ...) with a RefusedError. A host's rates are limits of its session.
// Latency, disk and hashing cost what they cost on this machine.
//
// `starling sim --network tcp` is the caller. The package checks no invariants:
// it sees the engines only from outside.
package livefleet
