//go:build linux

package monitoring

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// server is a Prometheus of its own data, on the loopback interface.
type server struct{ url string }

// startPrometheus runs the committed configuration against a tracker, with rules
// of another timing and short intervals.
func startPrometheus(t *testing.T, at map[string]string, timing Timing) *server {
	t.Helper()
	dir := t.TempDir()
	config := strings.NewReplacer("15s", "500ms").Replace(scrapeConfig(at["admin"], "http://"+at["tracker"]))
	rules, err := MakeRules(timing).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"prometheus.yml": []byte(config), "rules/starling.yml": rules} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program := need(t, "prometheus")
	for range 5 { // somebody else may take the port before it does
		addr := freePort(t)
		p := launch(t, program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
			"--web.listen-address="+addr, "--enable-feature=exemplar-storage")
		s := &server{url: "http://" + addr}
		if s.becomesReady(t, p) {
			return s
		}
	}
	t.Fatal("Prometheus does not start")
	return nil
}

// becomesReady waits until it answers, or has ended.
func (s *server) becomesReady(t *testing.T, p *proc) (ready bool) {
	t.Helper()
	eventually(t, "Prometheus is ready", patience, func() error {
		select {
		case <-p.ended:
			return nil
		default:
		}
		_, err := get(s.url + "/-/ready")
		ready = err == nil
		return err
	})
	return ready
}

// freePort is an address that was free just now.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func get(url string) ([]byte, error) {
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

// ask calls Prometheus' API and reads the answer's data into v.
func (s *server) ask(path string, v any) error {
	body, err := get(s.url + "/api/v1/" + path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, &struct {
		Data any `json:"data"`
	}{v})
}

// sample is a series' value now.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

func (s *server) query(expr string) ([]sample, error) {
	var data struct {
		Result []sample `json:"result"`
	}
	err := s.ask("query?query="+url.QueryEscape(expr), &data)
	return data.Result, err
}

// is waits until a query has one series, of that value.
func (s *server) is(t *testing.T, expr, want string) {
	t.Helper()
	eventually(t, expr, patience, func() error {
		got, err := s.query(expr)
		if err != nil {
			return err
		}
		if len(got) != 1 || got[0].Value[1] != want {
			return fmt.Errorf("%v, want %s", got, want)
		}
		return nil
	})
}

type alert struct {
	Labels, Annotations map[string]string
	State               string
}

func (s *server) alerts() ([]alert, error) {
	var data struct {
		Alerts []alert `json:"alerts"`
	}
	err := s.ask("alerts", &data)
	return data.Alerts, err
}
