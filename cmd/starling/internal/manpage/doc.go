// Package manpage makes manual pages of cobra commands: one for each, in the man
// macros that every man program reads.
//
// A page has what --help has, and what a person who has only the page needs beside
// it: the environment variable of each option, the files, the exit codes. The same
// command and the same Options make the same bytes.
//
// The package writes no file and knows no command of starling's.
package manpage
