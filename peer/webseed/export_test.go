package webseed

import "time"

// Hurry shortens the waits of all Groups to come. The limits that end something
// stay as they are.
func Hurry() {
	defaultTimes.backoff = 20 * time.Millisecond
	defaultTimes.maxWait = 100 * time.Millisecond
	defaultTimes.tick = 20 * time.Millisecond
	defaultTimes.look = 20 * time.Millisecond
	defaultTimes.body = time.Second
}
