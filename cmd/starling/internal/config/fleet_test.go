package config

import "testing"

func TestQuota(t *testing.T) {
	for text, c := range map[string]struct{ done, hosts, least int }{
		"95%": {95, 100, 95}, "100%": {20, 20, 20}, "3": {3, 100, 3}, "0.5%": {1, 200, 1}, "33.4%": {34, 100, 34},
	} {
		q, err := ParseQuota(text)
		if err != nil || !q.Met(c.least, c.hosts) || q.Met(c.least-1, c.hosts) {
			t.Errorf("%s of %d: %+v, %v", text, c.hosts, q, err)
		}
	}
	for _, text := range []string{"", "%", "0%", "101%", "-1%", "NaN%", "0", "-1", "x", "1.5"} {
		if q, err := ParseQuota(text); err == nil {
			t.Errorf("%q is %+v", text, q)
		}
	}
	if q, _ := ParseQuota("100%"); q.Met(0, 0) {
		t.Error("no hosts are enough")
	}
}
