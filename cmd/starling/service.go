package main

import (
	"slices"
	"strings"
	"time"

	"starling/cmd/starling/internal/report"
)

// ready says that the command serves, to scripts and to the service manager.
func (a *app) ready(e report.Event) {
	e.Name = "ready"
	a.rep.Event(e)
	at := make([]string, 0, len(e.Addresses))
	for what, addr := range e.Addresses {
		at = append(at, what+" "+addr)
	}
	slices.Sort(at)
	a.service.Ready("serving " + strings.Join(at, ", "))
}

// outlive waits for another program's end, which is no reason to be taken for dead.
func (a *app) outlive(ended <-chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			a.service.Alive()
		}
	}
}
