package peer

import (
	"context"
	"time"
)

// lastAnswer is how long a torrent that stops waits for the announce that is under way.
const lastAnswer = 2 * time.Second

// inOrder is an Announcer with one announce under way at a time. A tracker takes what
// comes over two connections in any order: a `stopped` that overtook the announce before
// it would be undone by that, and the tracker would list for minutes who is gone.
type inOrder struct {
	to   Announcer
	turn chan struct{} // full while an announce is under way
}

func newInOrder(to Announcer) *inOrder { return &inOrder{to: to, turn: make(chan struct{}, 1)} }

// Announce waits for its turn, and then for the answer.
func (o *inOrder) Announce(ctx context.Context, a Announce) (Announced, error) {
	if err := o.take(ctx); err != nil {
		return Announced{}, err
	}
	defer func() { <-o.turn }()
	return o.to.Announce(ctx, a)
}

// answered waits until no announce is under way, for lastAnswer at most.
func (o *inOrder) answered(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastAnswer)
	defer cancel()
	if o.take(ctx) == nil {
		<-o.turn
	}
}

func (o *inOrder) take(ctx context.Context) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
