package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"starling/cmd/starling/internal/report"
	"starling/cmd/starling/internal/service"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// run runs one command and returns the exit code.
func run(args []string, stdout, stderr io.Writer, getenv func(string) string) (code int) {
	a := &app{stdout: stdout, stderr: stderr, getenv: getenv, environ: os.Environ(), service: service.Open(getenv)}
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "starling: internal error: %v\n%s", r, debug.Stack())
			code = exitInternal
		}
	}()
	ctx, stop := a.watchSignals(context.Background())
	defer stop()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	a.copies.close()
	a.messages.close()
	if a.rep != nil {
		a.rep.Finish()
	}
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		// cobra's own errors are about the command line: an unknown
		// command, a flag it does not know, too many arguments.
		f = usage("starling", "%w", err)
	}
	a.printFailure(root, f)
	return f.code
}

// printFailure says why the command failed: a line on stderr for people, or the
// JSON document there and, with --json, on stdout as the last one.
func (a *app) printFailure(root flagger, f *failure) {
	if f.quiet {
		return
	}
	jsonResult, jsonProgress := a.wantsJSON(root)
	if jsonProgress {
		_ = report.Write(a.stderr, f.document(), a.now())
	} else {
		fmt.Fprintf(a.stderr, "starling: %s\n", report.Escape(f.Error()))
		if f.hint != "" {
			fmt.Fprintf(a.stderr, "hint: %s\n", report.Escape(f.hint))
		}
	}
	if jsonResult {
		_ = report.Write(a.stdout, f.document(), a.now())
	}
}
