package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// missing skips a test for want of a package of the system; CI has it.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// tab is a page in headless Chromium.
type tab struct {
	t     testing.TB
	ctx   context.Context
	close func() // ends the browser
	mu    sync.Mutex
	bad   []string // what went to the console, and exceptions
}

// look is how a page is looked at.
type look struct {
	width, height int64
	dark, still   bool // prefers-color-scheme, prefers-reduced-motion
	noScript      bool
	phone         bool
}

var desktop = look{width: 1440, height: 900}

// newTab starts a Chromium of its own, which ends with the test.
func newTab(t testing.TB, l look) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium is missing: Debian's package chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(int(l.width), int(l.height)))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	tb := &tab{t: t, ctx: ctx}
	var once sync.Once
	tb.close = func() {
		once.Do(func() {
			end, stop := context.WithTimeout(ctx, 10*time.Second)
			defer stop()
			if err := chromedp.Cancel(end); err != nil {
				t.Log("chromium:", err)
			}
			cancel()
			cancelAlloc()
		})
	}
	t.Cleanup(tb.close)
	if err := chromedp.Listen(ctx, tb.hear); err != nil { // starts the browser
		t.Fatal(err)
	}
	scale := 1.0
	if l.phone {
		scale = 2
	}
	feature := func(name string, on bool, yes, no string) *emulation.MediaFeature {
		return &emulation.MediaFeature{Name: name, Value: map[bool]string{true: yes, false: no}[on]}
	}
	tb.do(call(log.Enable, cdp.Empty{}), call(runtime.Enable, cdp.Empty{}),
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: l.width, Height: l.height, DeviceScaleFactor: scale, Mobile: l.phone,
		}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			feature("prefers-color-scheme", l.dark, "dark", "light"),
			feature("prefers-reduced-motion", l.still, "reduce", "no-preference"),
		}}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}))
	return tb
}

// call makes an action of a command of the protocol.
func call[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// hear keeps errors and warnings.
func (tb *tab) hear(ev any) {
	var what string
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		what = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			what += " " + x.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			what = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			what = "console:"
			for _, a := range e.Args {
				what += " " + string(a.Value) + a.Description
			}
		}
	}
	if what == "" {
		return
	}
	tb.mu.Lock()
	tb.bad = append(tb.bad, what)
	tb.mu.Unlock()
}

// quiet fails the test if anything went to the console.
func (tb *tab) quiet() {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, b := range tb.bad {
		tb.t.Errorf("the page complains: %s", b)
	}
}

// patience bounds one action.
const patience = 60 * time.Second

func (tb *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tb.t.Fatal(err)
	}
}

func (tb *tab) open(url string) {
	tb.t.Helper()
	tb.do(chromedp.Navigate(url))
}

// eval runs an expression in the page, which may be a promise.
func eval[T any](tb *tab, js string) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for an expression to become true.
func (tb *tab) until(js string) {
	tb.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !eval[bool](tb, js) {
		if time.Now().After(end) {
			tb.t.Fatalf("not within 20 s: %s\n%s", js, eval[string](tb, "document.body.innerText.slice(0, 3000)"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (tb *tab) shot(file string) {
	tb.t.Helper()
	b, err := chromedp.Run(tb.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// text is what an element says.
func (tb *tab) text(id string) string {
	tb.t.Helper()
	return eval[string](tb, fmt.Sprintf("document.getElementById(%q).innerText", id))
}

// set changes a control as a person does.
func (tb *tab) set(id, value string) {
	tb.t.Helper()
	tb.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const e = document.getElementById(%q); e.value = %q;
		for (const kind of ["input", "change"]) e.dispatchEvent(new Event(kind, { bubbles: true })); }`, id, value)))
}
