package tracker

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestAlive counts the signs of life of the loop that keeps house: one a second,
// and none once it has ended.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		signs := 0
		cfg.Alive = func() { signs++ }
		s, err := New(cfg, slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go s.housekeep(ctx)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if signs != 10 {
			t.Errorf("%d signs of life in 10 s, want 10", signs)
		}
		cancel()
		time.Sleep(10 * time.Second)
		if signs != 10 {
			t.Errorf("%d signs of life after the loop has ended, want none", signs-10)
		}
	})
}
