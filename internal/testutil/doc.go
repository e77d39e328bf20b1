// Package testutil has what tests of several packages need: the program itself, as a
// release has it, to be run as a process.
//
// Program builds it when a test first asks; a package whose tests do so calls Main from
// its TestMain, which removes it. How a process is started, told things and ended is for
// each package to say: they want different things of it.
//
// Tmpfs and Fill give a test a small disk, and fill it.
package testutil
