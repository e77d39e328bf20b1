package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLook(t *testing.T) {
	url := os.Getenv("LOOK")
	if url == "" {
		t.Skip("no")
	}
	l := desktop
	mode := os.Getenv("MODE")
	if strings.Contains(mode, "phone") {
		l = look{width: 390, height: 844, phone: true}
	}
	l.dark = strings.Contains(mode, "dark")
	l.noScript = strings.Contains(mode, "noscript")
	if strings.Contains(mode, "tall") {
		l.height = 2400
	}
	tb := newTab(t, l)
	tb.open(url)
	time.Sleep(6 * time.Second)
	tb.shot(os.Getenv("OUT"))
	if !l.noScript {
		fmt.Println(eval[string](tb, "document.title"), eval[int](tb, "document.documentElement.scrollWidth"))
	}
	tb.quiet()
}
