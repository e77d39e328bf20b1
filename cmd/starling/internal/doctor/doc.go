// Package doctor looks at a host and says what would keep starling from working
// well on it, each with its cure.
//
// Run makes the checks of an Options one after the other and returns their
// findings, in an order that is always the same. A check has two halves: one that
// measures, and touches the system; and one that judges what was measured, which
// the tests feed with faults that no test can stage. What cannot be found out on a
// system is said so and is no problem.
//
// The checks write one file to the download directory and remove it, listen for a
// moment at the ports to be used, and ask the tracker for its health. They change
// nothing else, and need no privilege; without it the name of the program that
// holds a port may stay unknown. Which variables of the environment nothing reads they
// are told by the caller.
package doctor
