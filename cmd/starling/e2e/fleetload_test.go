//go:build linux

package e2e

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"starling/tracker/fleet"
)

// What a fleet of 10,000 hosts costs the tracker that it reports to.
const (
	loadHosts = 10_000
	loadTime  = 20 * time.Second
	loadEvery = 10 * time.Second // what the tracker asks of so many
)

// TestFleetLoad measures what the reports of 10,000 hosts cost a tracker: each host has
// a connection of its own, and reports when it is told to. It is held against the same
// announces without a report.
func TestFleetLoad(t *testing.T) {
	if !full {
		t.Skip("only with STARLING_TRIALS=full: it takes a minute and a processor")
	}
	for _, reports := range []bool{false, true} {
		name := map[bool]string{false: "announces alone", true: "with reports"}[reports]
		t.Run(name, func(t *testing.T) {
			p := start(t, "tracker", "tracker", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--udp-listen", "off")
			at := p.ready()
			l := &fleetLoad{t: t, addr: at["tracker"], reports: reports, stop: make(chan struct{})}
			l.join()
			cpu, in, out, sent := p.cpu(), l.in.Load(), l.out.Load(), l.sent.Load()
			began := time.Now()
			time.Sleep(loadTime)
			took := time.Since(began).Seconds()
			cpu, in, out, sent = p.cpu()-cpu, l.in.Load()-in, l.out.Load()-out, l.sent.Load()-sent
			if reports {
				l.judge()
			}
			rss := p.peakRSS()
			close(l.stop)
			l.hosts.Wait()
			t.Logf("%s: %.0f announces a second; %.1f %% of a processor, %.0f µs an announce; %.0f KiB/s in, %.0f KiB/s out; at most %.0f MiB",
				name, float64(sent)/took, 100*cpu.Seconds()/took, 1e6*cpu.Seconds()/float64(sent),
				float64(in)/took/1024, float64(out)/took/1024, float64(rss)/mib)
			if rate := float64(sent) / took; rate < 900 || rate > 1100 {
				t.Errorf("%.0f announces a second, want about 1,000", rate)
			}
			if n := l.failed.Load(); n > 0 {
				t.Errorf("%d announces failed", n)
			}
			p.term()
		})
	}
}

// fleetLoad is hosts that announce to a tracker.
type fleetLoad struct {
	t                     *testing.T
	addr                  string
	reports               bool
	stop                  chan struct{}
	hosts                 sync.WaitGroup
	in, out, sent, failed atomic.Int64 // bytes to the tracker and from it, announces
}

// join starts the hosts, spread over the time between two reports, and waits until
// each has announced.
func (l *fleetLoad) join() {
	l.t.Helper()
	var joined sync.WaitGroup
	joined.Add(loadHosts)
	began := time.Now()
	for n := range loadHosts {
		l.hosts.Go(func() {
			time.Sleep(time.Until(began.Add(loadEvery * time.Duration(n) / loadHosts)))
			c, err := net.Dial("tcp", l.addr)
			if err != nil {
				l.failed.Add(1)
				joined.Done()
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for i := 0; ; i++ {
				if !l.announce(c, r, n, i) {
					l.failed.Add(1)
				}
				if i == 0 {
					joined.Done()
				}
				select {
				case <-l.stop:
					return
				case <-time.After(time.Until(began.Add(loadEvery * time.Duration(n) / loadHosts).Add(time.Duration(i+1) * loadEvery))):
				}
			}
		})
	}
	joined.Wait()
}

var loadHave = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\x80", fleet.Buckets)))

// announce is one announce of host n and its answer.
func (l *fleetLoad) announce(c net.Conn, r *bufio.Reader, n, i int) bool {
	const size = 100 << 30
	done := int64(size/1000)*int64(i) + int64(n)
	more := ""
	if l.reports {
		var from []string
		for k := range fleet.MaxFrom {
			from = append(from, fmt.Sprintf("7f000001%04x-%d", 1+(n+k*977)%loadHosts, 1<<20))
		}
		more = fmt.Sprintf("&x_report=1&x_size=%d&x_done=%d&x_down=%d&x_up=%d&x_state=downloading&x_why=peers&x_left_s=60&x_from=%s&x_have=%s"+
			"&x_node=host-%05d&x_label_rack=r%d&x_label_zone=z1", size, done, 100<<20, 90<<20, strings.Join(from, "."), loadHave, n, n%250)
	}
	req := fmt.Sprintf("GET /announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-SL0001-%012d&port=%d&uploaded=0&downloaded=%d&left=%d&compact=1&key=00000000&numwant=0%s HTTP/1.1\r\n"+
		"Host: t\r\nUser-Agent: starling\r\n\r\n", n, 1+n, done, size-done, more)
	if _, err := io.WriteString(c, req); err != nil {
		return false
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(resp.Body)
	l.in.Add(int64(len(req)))
	l.out.Add(int64(len(body)) + 130) // and the head
	l.sent.Add(1)
	return err == nil && strings.Contains(string(body), "8:interval") && strings.Contains(string(body), "8:x_report") == l.reports
}

// judge asks for what the tracker makes of the reports.
func (l *fleetLoad) judge() {
	l.t.Helper()
	base := "http://" + l.addr
	began := time.Now()
	st := asked(l.t, 0, "status", strings.Repeat("61", 20), "--tracker", base, "--by", "rack").Status
	took := time.Since(began)
	if st.Hosts != loadHosts || st.GroupsTotal != 250 {
		l.t.Errorf("%d hosts in %d racks, want %d in 250", st.Hosts, st.GroupsTotal, loadHosts)
	}
	l.t.Logf("starling status --by rack takes %v", took.Round(time.Millisecond))
}

// cpu is the processor time that it has used.
func (p *proc) cpu() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, s := range f[11:13] { // utime, stime
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
