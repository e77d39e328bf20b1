package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"starling/metainfo"
)

// runHook runs the program of --on-complete: the program and one argument, the
// absolute path of what was fetched. No shell is involved and nothing is
// split, so that no name from the network is ever parsed as a command. Its
// output goes to our stderr, because our stdout is for our result.
func (a *app) runHook(ctx context.Context, program, path string, t *metainfo.Torrent) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, abs)
	cmd.Env = append(os.Environ(),
		"STARLING_PATH="+abs,
		"STARLING_NAME="+t.Info.Name,
		"STARLING_INFOHASH="+t.WireHash().String(),
	)
	cmd.Stdout, cmd.Stderr = a.stderr, a.stderr
	// Told to stop, it gets the same signal as we and a moment to obey.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Second
	return cmd.Run()
}
