package check

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher/ignorefile"
)

const dockerfile = "../docker/Dockerfile"

// TestDockerfile reads it with BuildKit's parser and linter, and holds the last stage,
// which is the image, to what the page says of it.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	ast, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ast.Warnings {
		t.Errorf("%s: %s", dockerfile, w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) {
		t.Errorf("%s:%d: %s: %s", dockerfile, at[0].Start.Line, rule, message)
	}})
	stages, _, err := instructions.Parse(ast.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) != 2 || stages[1].BaseName != "scratch" {
		t.Fatalf("%d stages, the last from %q; want 2, from scratch", len(stages), stages[len(stages)-1].BaseName)
	}
	var user, entry string
	labels := map[string]bool{}
	for _, c := range stages[1].Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = strings.Join(c.CmdLine, " ")
			if c.PrependShell {
				t.Error("the entry point needs a shell, and there is none")
			}
		case *instructions.LabelCommand:
			for _, l := range c.Labels {
				labels[l.Key] = true
			}
		case *instructions.RunCommand:
			t.Errorf("%s in an empty file system", c)
		case *instructions.CopyCommand:
			if c.From != stages[0].Name {
				t.Errorf("%s is not from stage %s", c, stages[0].Name)
			}
		}
	}
	if user != "65532:65532" || entry != "/usr/bin/starling" {
		t.Errorf("user %q, entry point %q", user, entry)
	}
	for _, l := range []string{"title", "description", "version", "revision"} {
		if !labels["org.opencontainers.image."+l] {
			t.Errorf("no label org.opencontainers.image.%s", l)
		}
	}
}

// TestDockerignore: nothing that git tracks is kept from the build, which would stamp
// the binary as modified.
func TestDockerignore(t *testing.T) {
	f, err := os.Open(dockerfile + ".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	git, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Fields(string(git))
	for _, p := range patterns {
		if !slices.ContainsFunc(ignored, func(g string) bool {
			return strings.Trim(g, "/") == strings.TrimPrefix(p, "**/")
		}) {
			t.Errorf("%q is kept from the build and not from git", p)
		}
	}
}
