//go:build linux

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// web is the HTTP client of the control protocols. Nothing leads it elsewhere.
var web = &http.Client{Timeout: patience, Transport: &http.Transport{Proxy: nil}}

// replyMost bounds what a control port may answer.
const replyMost = 8 << 20

// exchange makes one request and returns the body of a reply of status 200.
func exchange(req *http.Request) ([]byte, http.Header, error) {
	resp, err := web.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, replyMost))
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return body, resp.Header, fmt.Errorf("%s %s: %s: %.200s", req.Method, req.URL, resp.Status, body)
	}
	return body, resp.Header, nil
}

// postJSON sends a document and decodes the answer into out.
func postJSON(url string, header http.Header, in, out any) (http.Header, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", "application/json")
	body, got, err := exchange(req)
	if err != nil {
		return got, err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return got, fmt.Errorf("%s: %w: %.200s", url, err, body)
	}
	return got, nil
}

// write makes a file of the node's own directory, and returns its path.
func (n *node) write(name, text string) string {
	n.t.Helper()
	return writeFile(n.t, filepath.Join(n.dir, name), []byte(text))
}

func writeFile(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
