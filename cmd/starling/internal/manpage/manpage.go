package manpage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Options are what the pages of a program have in common.
type Options struct {
	Source string // the program and its version, at the bottom of a page
	Date   time.Time
	// ExitCodes are the codes of every command, in order.
	ExitCodes []ExitCode
	// Env is the environment variable of an option, empty if it has none.
	Env func(cmd *cobra.Command, f *pflag.Flag) string
	// Files are the files that every command reads.
	Files []File
}

// ExitCode is what an exit code means.
type ExitCode struct {
	Code    int
	Meaning string
}

// File is a file and what it is for.
type File struct{ Path, For string }

// Page is a manual page: the name of its file, and its text.
type Page struct {
	Name string
	Text []byte
}

// Pages makes the pages of a command and of all below it, in the order of their
// names' words. Hidden commands and the help command have none.
func Pages(root *cobra.Command, o Options) []Page {
	out := []Page{{name(root) + ".1", page(root, o)}}
	for _, c := range root.Commands() { // sorted by cobra
		if documented(c) {
			out = append(out, Pages(c, o)...)
		}
	}
	return out
}

func documented(c *cobra.Command) bool { return c.IsAvailableCommand() && c.Name() != "help" }

// name is a command's path as the name of a page.
func name(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func page(c *cobra.Command, o Options) []byte {
	c.InitDefaultHelpFlag() // cobra adds it only to the command that runs
	w := &writer{}
	date := ""
	if !o.Date.IsZero() {
		date = o.Date.UTC().Format("2006-01-02")
	}
	w.macro("TH", strings.ToUpper(name(c)), "1", date, o.Source, c.Root().Name()+" manual")
	w.raw(".nh\n.ad l") // what is to be typed stays in one piece
	w.macro("SH", "NAME")
	w.raw(escape(name(c)) + ` \- ` + escape(lowerFirst(c.Short)))
	synopsis(w, c)
	w.macro("SH", "DESCRIPTION")
	w.prose(description(c))
	commands(w, c)
	options(w, c, o)
	w.macro("SH", "EXIT STATUS")
	for _, e := range o.ExitCodes {
		w.item(bold(strconv.Itoa(e.Code)), e.Meaning)
	}
	if len(o.Files) > 0 {
		w.macro("SH", "FILES")
		for _, f := range o.Files {
			w.item(italic(f.Path), f.For)
		}
	}
	related(w, c)
	return []byte(w.b.String())
}

// synopsis is the usage line, with the program and its options told apart.
func synopsis(w *writer, c *cobra.Command) {
	w.macro("SH", "SYNOPSIS")
	line := bold(c.CommandPath())
	_, rest, _ := strings.Cut(c.Use, " ")
	if c.HasAvailableFlags() {
		line += " [" + italic("option") + "]..."
	}
	if c.HasAvailableSubCommands() {
		line += " " + italic("command")
	}
	if rest != "" {
		line += " " + italic(rest)
	}
	w.raw(line)
	for _, alias := range c.Aliases {
		w.raw(".PP\n" + bold(c.Parent().CommandPath()+" "+alias) + " is another name for it.")
	}
}

// description is the long help, less the exit codes, which have a section.
func description(c *cobra.Command) string {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	text, _, _ = strings.Cut(text, "\nExit codes:")
	return strings.TrimSpace(text)
}

func commands(w *writer, c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	w.macro("SH", "COMMANDS")
	for _, sub := range c.Commands() {
		if documented(sub) {
			w.item(bold(sub.CommandPath())+` (1)`, sub.Short+".")
		}
	}
}

func options(w *writer, c *cobra.Command, o Options) {
	section := func(title string, flags *pflag.FlagSet) {
		if !flags.HasAvailableFlags() {
			return
		}
		w.macro("SH", title)
		flags.VisitAll(func(f *pflag.Flag) { // sorted by name
			if !f.Hidden {
				option(w, c, f, o)
			}
		})
	}
	section("OPTIONS", c.LocalFlags())
	section("OPTIONS OF EVERY COMMAND", c.InheritedFlags())
}

func option(w *writer, c *cobra.Command, f *pflag.Flag, o Options) {
	arg, usage := pflag.UnquoteUsage(f)
	head := bold("--" + f.Name)
	if f.Shorthand != "" {
		head = bold("-"+f.Shorthand) + ", " + head
	}
	if arg != "" {
		head += " " + italic(arg)
	}
	text := usage
	if def := defaultOf(f); def != "" {
		text += ". Default: " + def
	}
	if env := o.Env(c, f); env != "" {
		text += ". Environment: " + env
	}
	w.item(head, text+".")
}

// defaultOf is a default worth telling: not that something is off, empty or 0.
func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return ""
	}
	return f.DefValue
}

// related names the page above and those below.
func related(w *writer, c *cobra.Command) {
	var see []string
	if c.HasParent() {
		see = append(see, bold(name(c.Parent()))+"(1)")
	}
	for _, sub := range c.Commands() {
		if documented(sub) {
			see = append(see, bold(name(sub))+"(1)")
		}
	}
	if len(see) > 0 {
		w.macro("SH", "SEE ALSO")
		w.raw(strings.Join(see, ",\n"))
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// writer collects a page's lines.
type writer struct{ b strings.Builder }

// raw writes lines that are escaped already.
func (w *writer) raw(text string) { fmt.Fprintln(&w.b, text) }

// macro writes a request with its arguments, quoted.
func (w *writer) macro(name string, args ...string) {
	w.b.WriteString("." + name)
	for _, a := range args {
		w.b.WriteString(` "` + strings.ReplaceAll(escape(a), `"`, `\(dq`) + `"`)
	}
	w.b.WriteByte('\n')
}

// item writes a term, escaped already, and what it means.
func (w *writer) item(term, text string) {
	w.raw(".TP\n" + term)
	w.raw(escapeLine(text))
}

// prose writes paragraphs; indented lines are kept as they are.
func (w *writer) prose(text string) {
	for _, block := range strings.Split(text, "\n\n") {
		w.raw(".PP")
		verbatim := false
		for _, line := range strings.Split(block, "\n") {
			if indented := strings.HasPrefix(line, "    "); indented != verbatim {
				if verbatim = indented; verbatim {
					w.raw(".RS 4\n.nf")
				} else {
					w.raw(".fi\n.RE")
				}
			}
			w.raw(escapeLine(strings.TrimPrefix(line, "    ")))
		}
		if verbatim {
			w.raw(".fi\n.RE")
		}
	}
}

func bold(s string) string   { return `\fB` + escape(s) + `\fR` }
func italic(s string) string { return `\fI` + escape(s) + `\fR` }

// escapes write text for roff: a hyphen that may be copied, a backslash that
// prints, quotes that stay straight.
var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`)

func escape(s string) string { return escapes.Replace(s) }

// escapeLine is escape for text at the beginning of a line, where a dot would be a
// request.
func escapeLine(s string) string {
	if s = escape(s); strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}
