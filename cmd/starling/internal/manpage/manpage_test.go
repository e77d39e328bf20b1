package manpage

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func tree() *cobra.Command {
	none := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "prog", Short: "Do things", Long: "Do things.\n\nExit codes:\n  0 ok", Run: none}
	root.PersistentFlags().Bool("loud", false, "say more")
	do := &cobra.Command{
		Use: "do THING", Aliases: []string{"perform"}, Short: "Do one thing", Run: none,
		Long: ".hidden files count, don't they?\n\nFor one:\n    a \\ b\nand more.",
	}
	do.Flags().StringP("file", "f", "a-b", "read `PATH`")
	do.Flags().Bool("secret", false, "nobody knows")
	_ = do.Flags().MarkHidden("secret")
	root.AddCommand(do, &cobra.Command{Use: "never", Hidden: true, Run: none})
	return root
}

func pages(date time.Time) []Page {
	return Pages(tree(), Options{
		Source: "prog 1", Date: date, ExitCodes: []ExitCode{{0, "fine"}, {2, "not fine"}}, Files: []File{{"/etc/x", "how"}},
		Env: func(_ *cobra.Command, f *pflag.Flag) string {
			if f.Name == "file" {
				return "PROG_FILE"
			}
			return ""
		},
	})
}

func TestPages(t *testing.T) {
	all := pages(time.Date(2026, 1, 2, 23, 0, 0, 0, time.FixedZone("", 3600)))
	if len(all) != 2 || all[0].Name != "prog.1" || all[1].Name != "prog-do.1" {
		t.Fatalf("pages: %v", all)
	}
	const want = `.TH "PROG\-DO" "1" "2026\-01\-02" "prog 1" "prog manual"
.nh
.ad l
.SH "NAME"
prog\-do \- do one thing
.SH "SYNOPSIS"
\fBprog do\fR [\fIoption\fR]... \fITHING\fR
.PP
\fBprog perform\fR is another name for it.
.SH "DESCRIPTION"
.PP
\&.hidden files count, don\(aqt they?
.PP
For one:
.RS 4
.nf
a \e b
.fi
.RE
and more.
.SH "OPTIONS"
.TP
\fB\-f\fR, \fB\-\-file\fR \fIPATH\fR
read PATH. Default: a\-b. Environment: PROG_FILE.
.TP
\fB\-h\fR, \fB\-\-help\fR
help for do.
.SH "OPTIONS OF EVERY COMMAND"
.TP
\fB\-\-loud\fR
say more.
.SH "EXIT STATUS"
.TP
\fB0\fR
fine
.TP
\fB2\fR
not fine
.SH "FILES"
.TP
\fI/etc/x\fR
how
.SH "SEE ALSO"
\fBprog\fR(1)
`
	if got := string(all[1].Text); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	root := string(all[0].Text)
	if strings.Contains(root, "Exit codes") || !strings.Contains(root, `\fBprog do\fR (1)`) || strings.Contains(root, "never") {
		t.Errorf("the page of the program:\n%s", root)
	}
	undated := string(pages(time.Time{})[1].Text)
	if !strings.HasPrefix(undated, `.TH "PROG\-DO" "1" "" "prog 1"`) {
		t.Errorf("without a date: %.60s", undated)
	}
}
