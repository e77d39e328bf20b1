// Package descriptors keeps some of the process's descriptors free of peers.
//
// The descriptors of a process are few, and strangers can take as many as they like:
// each connection is one. When the last is gone no file can be written, no tracker
// asked and no metric read. So a quarter of them, 256 at most, is out of reach of the
// connections of a swarm and of a tracker's clients.
//
// Nobody counts for that. The system gives the lowest free number to what is opened,
// so a socket whose number is among the last of the limit says by itself that all
// below are taken. Who accepts a connection asks Scarce, and closes it then: none may
// stay among the last, or a place below would look free that is not. Who dials has
// Spare as the dialer's Control. Files and announces ask nobody.
//
// Where the system tells no limit, nothing is ever scarce.
package descriptors
