// Package archtest keeps the architecture of docs/architecture.md: its test
// fails where a package imports what it must not, where pure code touches the
// world, where a package has no doc.go, or where a new folder appears at the
// top.
//
// The model is a list of source files, parsed and not type-checked, and rules
// over their syntax. rules.go says what holds in this module; the other files say
// how it is seen. Test files are free to do as they like.
//
// It is called by `go test` only. It does not see what needs types: a channel
// that comes out of another package's function, a global variable, the order
// of a map. It errs on the strict side: a variable named like a forbidden
// package is reported too.
package archtest
