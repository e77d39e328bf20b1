package browser

import (
	"cmp"
	"encoding/json"
	"fmt"
	"testing"

	"starling/tracker/fleet"
)

// storeTrial has a store whose answers come when asked for: answer(k, hosts) answers the
// k-th question of all.
const storeTrial = `(async () => {
	const { Store, most } = await import("/assets/store.js");
	const asked = [];
	window.fetch = (path) => new Promise((done, failed) => asked.push({ path, done, failed }));
	const turn = () => new Promise((f) => setTimeout(f, 5));
	const host = (n, done, more) => ({ node: "n" + n, addr: "10.0.0." + n + ":1", labels: {}, state: "downloading", why: "none", size: 100, done, left_s: 9, down_bps: 0, up_bps: 0, ...more });
	const answer = async (k, hosts, total = hosts.length) => { asked[k].done({ ok: true, json: async () => ({ total, hosts }) }); await turn(); };
	const says = () => [...store.hosts.values()].map((h) => h.key + " " + h.done).join(", ");
	const store = new Store("00");
	const out = [];
`

// TestStore: what an event brings is newer than what was asked for before it, the last
// load counts, and one that fails is made again.
func TestStore(t *testing.T) {
	s := newBareSite(t)
	tb := newTab(t, desktop)
	tb.open(s.url)
	for _, c := range []struct{ name, js, want string }{
		{"an event during a load", `
			store.load(); await turn();
			store.change([host(1, 50)], 2);
			await answer(0, [host(1, 10), host(2, 20)]);
			return says();`, "n1 50, n2 20"},
		{"a load of pages", `
			store.load(); await turn();
			await answer(0, [host(1, 10)], 2);
			await answer(1, [host(2, 20)], 2);
			return asked.length + ": " + says() + " " + asked[1].path.includes("offset=1&");`, "2: n1 10, n2 20 true"},
		{"two loads", `
			store.load(); await turn();
			store.load(); await turn();
			await answer(1, [host(2, 20)]);
			await answer(0, [host(1, 10)], 2);
			return asked.length + ": " + says();`, "2: n2 20"},
		{"hosts that are gone", `
			store.load(); await turn();
			await answer(0, [host(1, 10), host(2, 20)]);
			store.whole = -1e9; // long ago
			store.change([], 1); await turn();
			await answer(1, [host(2, 30)]);
			return says();`, "n2 30"},
		{"a load that fails", `
			const first = store.load().catch(() => "failed"); await turn();
			asked[0].failed(new Error("no")); out.push(await first, store.loaded);
			store.whole = -1e9;
			store.change([], 1); await turn();
			await answer(1, [host(2, 30)]);
			return out.join() + " " + says();`, "failed,false n2 30"},
		{"a page again, and an event meanwhile", `
			store.load(); await turn();
			await answer(0, [host(1, 10), host(2, 20)]);
			const more = store.more(); await turn();
			store.change([host(1, 60)], 2);
			await answer(1, [host(1, 40), host(2, 50)]);
			await more;
			return says();`, "n1 60, n2 50"},
		{"more hosts than are kept", `
			for (let i = 0; i < most + 5; i++) store.put(host(i, 1), 0);
			store.put(host(3, 77), 0);
			return store.hosts.size - most + " " + store.hosts.get("10.0.0.3:1").done;`, "0 77"},
		{"a label that objects have by nature", `
			store.put(host(1, 1, { labels: { constructor: "a" } }), 0);
			store.put(host(2, 1), 0);
			return JSON.stringify(store.groups("constructor").map((g) => g.name));`, `["a",""]`},
	} {
		if got := eval[string](tb, storeTrial+c.js+"})()"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	tb.quiet()
}

// TestOrderOfNames: the page has names in the tracker's order.
func TestOrderOfNames(t *testing.T) {
	s := newBareSite(t)
	tb := newTab(t, desktop)
	tb.open(s.url)
	names := []string{
		"", "0", "00", "1", "02", "2x", "9", "10", "10.0.0.9:1", "10.0.0.10:1", "18446744073709551616", "N1", "a0", "a00", "a00x", "a01b1", "a1b01", "a1b2", "a1b10", "a2", "a010",
		"gpu-r1-9", "gpu-r1-10", "gpu-r02-1", "n9", "n10", "n10-1", "n10a", "é1", "\uffee", "\U0001f600", "\U0001f601",
	}
	list, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	got := eval[[][]int](tb, fmt.Sprintf(`import("/assets/store.js").then(({ compare }) => { const all = %s; return all.map((a) => all.map((b) => Math.sign(compare(a, b)))); })`, list))
	for i, a := range names {
		for j, b := range names {
			if want := cmp.Compare(fleet.CompareNames(a, b), 0); got[i][j] != want {
				t.Errorf("%q and %q: %d on the page, %d at the tracker", a, b, got[i][j], want)
			}
		}
	}
	tb.quiet()
}
