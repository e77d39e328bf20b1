package browser

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker"
)

// TestTrackerProcess is the tracker of TestCost, in a process of its own. It says
// where it listens, and ends with its standard input.
func TestTrackerProcess(t *testing.T) {
	if os.Getenv("STARLING_COST_TRACKER") == "" {
		t.Skip("only TestCost runs it")
	}
	srv, err := tracker.New(tracker.DefaultConfig(), slog.New(slog.DiscardHandler), tracker.NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tracker.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Printf("\nlistening %s\n", ln.Addr())
	if err := srv.Serve(ctx, ln, nil, nil); err != nil {
		t.Fatal(err)
	}
}

// startTracker runs it on one processor.
func startTracker(t *testing.T, processor string) (addr string, pid int) {
	t.Helper()
	cmd := exec.Command("taskset", "-c", processor, os.Args[0], "-test.run", "^TestTrackerProcess$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), "STARLING_COST_TRACKER=1", "GOMAXPROCS=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if a, ok := strings.CutPrefix(sc.Text(), "listening "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return a, cmd.Process.Pid
		}
	}
	t.Fatal("the tracker does not listen")
	return "", 0
}

// processorTime is what a process has used, user and system, to 10 ms.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// load announces without a pause over a few connections until stop is closed.
func load(t *testing.T, addr string, batches [][]byte, each int, answered *atomic.Int64, stop chan struct{}) *sync.WaitGroup {
	t.Helper()
	var all sync.WaitGroup
	for c := range 4 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 64<<10)
			for k := c; ; k += 4 {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := conn.Write(batches[k%len(batches)]); err != nil {
					t.Error(err)
					return
				}
				for range each {
					if err := skipReply(in); err != nil {
						t.Error(err)
						return
					}
				}
				answered.Add(int64(each))
			}
		})
	}
	return &all
}

// skipReply reads past one answer.
func skipReply(in *bufio.Reader) error {
	size := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			size, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
		if len(line) == 2 {
			_, err := in.Discard(size)
			return err
		}
	}
}

// busyBatches are announces of all hosts over ten seconds, so many in each batch.
func busyBatches(all []*rollout, each int) (batches [][]byte) {
	for second := 40.0; second < 50; second++ {
		var b bytes.Buffer
		n := 0
		for _, r := range all {
			for _, rep := range r.reports(second) {
				fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", announce(&rep))
				if n++; n%each == 0 {
					batches = append(batches, bytes.Clone(b.Bytes()))
					b.Reset()
				}
			}
		}
	}
	return batches
}

// TestCost measures what an open page costs a tracker that has all it can do:
// announces with reports from 2,000 hosts and 99 small swarms, as many as it
// answers, in turns with and without the page of the large rollout open. The tracker
// has the first processor for itself. In the turns without, the browser has the same
// page of a second tracker open, so that its own work is the same in both.
func TestCost(t *testing.T) {
	if os.Getenv("STARLING_COST") == "" {
		t.Skip("STARLING_COST is not set")
	}
	const rounds, length, each = 8, 8 * time.Second, 50
	if out, err := exec.Command("taskset", "-apc", "1", strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
		t.Fatalf("taskset: %v %s", err, out)
	}
	addr, pid := startTracker(t, "0")
	rollouts := newLargeRollouts()
	var answered atomic.Int64
	stop := make(chan struct{})
	all := load(t, addr, busyBatches(rollouts, each), each, &answered, stop)
	defer all.Wait()
	defer close(stop)
	other := &site{rollouts: rollouts}
	other.addr, _ = startTracker(t, "1")
	other.dial(t)
	other.at(t, 40)
	other.run(t, 40)
	tb := newTab(t, desktop)
	var perSecond, perCPU [2][]float64
	for round := range 2 * rounds {
		open := round % 2
		tb.open(fmt.Sprintf("http://%s/swarms/%x", []string{other.addr, addr}[open], rollouts[0].hash))
		tb.until(`document.getElementById("hosts").getAttribute("aria-rowcount") === "2001"`)
		time.Sleep(3 * time.Second)
		n, used, began := answered.Load(), processorTime(t, pid), time.Now()
		time.Sleep(length)
		got, cpu, took := float64(answered.Load()-n), processorTime(t, pid)-used, time.Since(began)
		perSecond[open] = append(perSecond[open], got/took.Seconds())
		perCPU[open] = append(perCPU[open], got/cpu.Seconds())
		t.Logf("page %-6s %7.0f announces/s, %7.0f a processor second", []string{"closed", "open"}[open], got/took.Seconds(), got/cpu.Seconds())
	}
	for name, m := range map[string][2][]float64{"a second": perSecond, "a processor second": perCPU} {
		a, b := median(m[0]), median(m[1])
		t.Logf("%s: closed %.0f, open %.0f: %+.1f %%", name, a, b, 100*(b/a-1))
		if name == "a processor second" && b < 0.95*a {
			t.Errorf("an open page costs %.1f %% of the announces %s", 100*(1-b/a), name)
		}
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
