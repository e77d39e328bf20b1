//go:build linux

package interop

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// transmission is transmission-daemon 3 or later, over its JSON RPC.
var transmission = &program{
	name: "transmission", pkg: "transmission-daemon", command: "transmission-daemon", start: startTransmission,
	can: abilities{pex: true, web: true, secret: true, udp: true},
}

type transmissionClient struct {
	url string
	csr http.Header // the token that it wants in each request
}

func startTransmission(n *node) client {
	n.t.Helper()
	encryption := 1 // preferred
	if n.encrypted {
		encryption = 2
	}
	config := map[string]any{
		"bind-address-ipv4": n.ip, "bind-address-ipv6": "::1", "peer-port": peerPort,
		"dht-enabled": false, "lpd-enabled": false, "pex-enabled": n.pex, "utp-enabled": false,
		"port-forwarding-enabled": false, "encryption": encryption, "peer-port-random-on-start": false,
		"rpc-enabled": true, "rpc-bind-address": "127.0.0.1", "rpc-port": n.control,
		"rpc-authentication-required": false, "rpc-whitelist-enabled": false, "rpc-host-whitelist-enabled": false,
		"speed-limit-up-enabled": n.upLimit > 0, "speed-limit-up": n.upLimit / 1000,
		"incomplete-dir-enabled": false, "watch-dir-enabled": false, "start-added-torrents": true,
		"scrape-paused-torrents-enabled": false, "cache-size-mb": 4, "umask": 18,
	}
	text, err := json.Marshal(config)
	if err != nil {
		n.t.Fatal(err)
	}
	n.write("settings.json", string(text))
	n.run("transmission-daemon", "--foreground", "--config-dir", n.dir, "--log-info")
	c := &transmissionClient{url: fmt.Sprintf("http://127.0.0.1:%d/transmission/rpc", n.control), csr: http.Header{}}
	n.answers(func() error {
		_, header, err := exchange(must(http.NewRequest(http.MethodGet, c.url, nil)))
		token := header.Get("X-Transmission-Session-Id")
		if token == "" {
			return fmt.Errorf("no session token: %w", err)
		}
		c.csr.Set("X-Transmission-Session-Id", token)
		return nil
	})
	return c
}

func (c *transmissionClient) call(method string, args, out any) error {
	var reply struct {
		Result    string          `json:"result"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if _, err := postJSON(c.url, c.csr, map[string]any{"method": method, "arguments": args}, &reply); err != nil {
		return err
	}
	if reply.Result != "success" {
		return fmt.Errorf("%s: %s", method, reply.Result)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply.Arguments, out)
}

func (c *transmissionClient) add(j job) error {
	args := map[string]any{"download-dir": j.dir, "paused": false}
	if j.magnet != "" {
		args["filename"] = j.magnet
	} else {
		b, err := os.ReadFile(j.torrent)
		if err != nil {
			return err
		}
		args["metainfo"] = base64.StdEncoding.EncodeToString(b)
	}
	return c.call("torrent-add", args, nil)
}

func (c *transmissionClient) state() (state, error) {
	var reply struct {
		Torrents []struct {
			LeftUntilDone    int64   `json:"leftUntilDone"`
			SizeWhenDone     int64   `json:"sizeWhenDone"`
			MetadataComplete float64 `json:"metadataPercentComplete"`
			DownloadedEver   int64   `json:"downloadedEver"`
			UploadedEver     int64   `json:"uploadedEver"`
			Status           int     `json:"status"`
			ErrorString      string  `json:"errorString"`
			Peers            []struct {
				Address     string  `json:"address"`
				Port        int     `json:"port"`
				ClientName  string  `json:"clientName"`
				IsEncrypted bool    `json:"isEncrypted"`
				ToClient    float64 `json:"rateToClient"`
			} `json:"peers"`
		} `json:"torrents"`
	}
	fields := strings.Fields("leftUntilDone sizeWhenDone metadataPercentComplete downloadedEver uploadedEver status errorString peers")
	if err := c.call("torrent-get", map[string]any{"fields": fields}, &reply); err != nil {
		return state{}, err
	}
	if len(reply.Torrents) != 1 {
		return state{}, fmt.Errorf("%d torrents", len(reply.Torrents))
	}
	t := &reply.Torrents[0]
	const seeding = 6 // of a torrent's status
	s := state{
		complete: t.MetadataComplete == 1 && t.SizeWhenDone > 0 && t.LeftUntilDone == 0 && t.Status == seeding,
		down:     t.DownloadedEver, up: t.UploadedEver, trouble: t.ErrorString,
	}
	for _, p := range t.Peers {
		s.peers = append(s.peers, peerState{
			addr: fmt.Sprintf("%s:%d", p.Address, p.Port), client: p.ClientName, secret: p.IsEncrypted,
		})
	}
	return s, nil
}

// must is for what cannot fail with the constants it is given.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
