// Package report tells people and programs what a command is doing.
//
// A command gives a Reporter its readings (Status), the moments worth an entry
// (Event), and at the end a Summary or an Error. The Reporter shows them on
// stderr in one of four modes: a bar redrawn in place, plain lines, JSON lines,
// or nothing. Logs go through Reporter.Writer, so that they never tear a bar.
//
// The JSON documents are a contract with scripts: fields are only ever added,
// and golden files hold each document's exact text.
//
// Every name that came over the network passes Escape before it reaches a
// terminal; JSON has its own escapes.
//
// The package reads no configuration, decides no exit code, and starts no
// goroutine: whoever calls Status decides how often, and the Reporter only
// refuses to redraw more than ten times a second.
package report
