package choke

import (
	"fmt"
	"time"
)

// MaxSlots bounds Config.Slots and Config.Optimistic. It is far above what
// helps: each further slot thins the others.
const MaxSlots = 1000

// Config is a policy's configuration.
type Config struct {
	// Slots is how many remotes are unchoked by merit.
	Slots int
	// Optimistic is how many more are unchoked to try them. BEP 3 counts
	// the optimistic unchoke within its four; here it comes on top, as in
	// Kurose and Ross. The cooperative policy has none of these.
	Optimistic int
	// Interval is the time between two calls of Rechoke.
	Interval time.Duration
	// OptimisticInterval is how long an optimistic unchoke lasts, a
	// multiple of Interval: long enough that the remote can answer in kind
	// and be measured (BEP 3).
	OptimisticInterval time.Duration
	// Turn is how long a seed serves a remote before one that waits takes
	// its slot.
	Turn time.Duration
	// Snub is how long a remote that owes us blocks may send none before
	// it is Snubbed, and how long the cooperative policy passes over a
	// remote that left its slot unused.
	Snub time.Duration
}

// Default returns the values of BEP 3, and a Turn as long as an optimistic
// unchoke.
func Default() Config {
	return Config{
		Slots:              4,
		Optimistic:         1,
		Interval:           10 * time.Second,
		OptimisticInterval: 30 * time.Second,
		Turn:               30 * time.Second,
		Snub:               60 * time.Second,
	}
}

// Validate says what is wrong with c, if anything.
func (c Config) Validate() error {
	switch {
	case c.Slots < 1 || c.Slots > MaxSlots:
		return fmt.Errorf("choke: %d slots, want 1 to %d", c.Slots, MaxSlots)
	case c.Optimistic < 0 || c.Optimistic > MaxSlots:
		return fmt.Errorf("choke: %d optimistic slots, want 0 to %d", c.Optimistic, MaxSlots)
	case c.Interval < 100*time.Millisecond:
		return fmt.Errorf("choke: interval %v, want at least 100ms", c.Interval)
	case c.OptimisticInterval < c.Interval || c.OptimisticInterval%c.Interval != 0:
		return fmt.Errorf("choke: optimistic interval %v is not a multiple of the interval %v",
			c.OptimisticInterval, c.Interval)
	case c.Turn < c.Interval:
		return fmt.Errorf("choke: turn %v is shorter than the interval %v", c.Turn, c.Interval)
	case c.Snub < c.Interval:
		return fmt.Errorf("choke: snub time %v is shorter than the interval %v", c.Snub, c.Interval)
	}
	return nil
}

// total is the number of slots that is never exceeded.
func (c *Config) total() int { return c.Slots + c.Optimistic }

// over says whether something that began at start and lasts d ends with the
// Rechoke at now. Rechokes come a little late or early; the one nearest to the
// end counts, or a delay of a millisecond would cost a whole interval.
func (c *Config) over(start time.Time, d time.Duration, now time.Time) bool {
	return now.Sub(start)+c.Interval/2 >= d
}

// mustBeValid guards the constructors. A configuration is validated where it
// is read, so a bad one here is our own mistake.
func (c Config) mustBeValid() Config {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return c
}
