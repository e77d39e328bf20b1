package mse

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Where FIPS 140-3 is enforced both sides say so before anything is sent, and
// what needs no cipher works.
func TestEnforcedFIPS(t *testing.T) {
	if !fips140.Enforced() {
		if err := Allowed(); err != nil {
			t.Error(err)
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "-test.run=^TestEnforcedFIPS$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "FIPS was enforced") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	t.Log("FIPS was enforced")
	if Allowed() == nil {
		t.Error("allowed")
	}
	conn := &script{in: []byte("anything")}
	_, err := Client(conn, testSKEY, ClientOptions{})
	if err == nil || !strings.Contains(err.Error(), "FIPS 140-3") {
		t.Errorf("a dialer: %v", err)
	}
	find := func([20]byte) ([20]byte, bool) { return testSKEY, true }
	if _, err = Server(conn, find, ServerOptions{}); err == nil || !strings.Contains(err.Error(), "FIPS 140-3") {
		t.Errorf("a listener: %v", err)
	}
	if conn.read != 0 || len(conn.out) != 0 {
		t.Errorf("%d bytes read and %d said", conn.read, len(conn.out))
	}
	if Sniff([]byte("\x13BitTorrent protocol")) != BEP3 {
		t.Error("Sniff does not know BEP 3")
	}
}
