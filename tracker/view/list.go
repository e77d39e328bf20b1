package view

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"starling/tracker/fleet"
)

// Rows on a page without JavaScript. With it the list shows as many and the hosts
// are all in one table.
const (
	swarmsPerPage = 100
	hostsPerPage  = 50
)

// listPage is the data of list.html.
type listPage struct {
	Title  string
	Swarms []fleet.SwarmInfo
	Total  int
	Down   int64 // bytes a second of the swarms shown
	Active int   // of them not done
	Pager  pager
	At     string // the time of the numbers
}

func (v *view) serveList(w http.ResponseWriter, r *http.Request) {
	at := pageNumber(r.URL.Query())
	list := v.src.Swarms((at-1)*swarmsPerPage, swarmsPerPage)
	p := listPage{Title: "Swarms", Swarms: list.Swarms, Total: list.Total, Pager: newPager(r.URL, at, swarmsPerPage, list.Total), At: clock()}
	for i := range p.Swarms {
		s := &p.Swarms[i]
		p.Down += s.DownBPS
		if s.Done < s.Hosts {
			p.Active++
		}
	}
	v.render(w, http.StatusOK, "list.html", p)
}

// clock is the time of a page's numbers.
func clock() string { return time.Now().UTC().Format("15:04:05 UTC") }

// pager is the way to the pages of a table.
type pager struct {
	First, Last, Total   int // rows shown, from 1
	Offset, Limit        int
	Previous, Next, Here string // URLs, empty where there is none
}

// maxPage bounds the page's number, so that an offset cannot overflow.
const maxPage = 1 << 20

// pageNumber is the page that a query asks for, from 1.
func pageNumber(q url.Values) int {
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 || n > maxPage {
		return 1
	}
	return n
}

func newPager(u *url.URL, at, size, total int) pager {
	p := pager{Offset: (at - 1) * size, Limit: size, Total: total, First: (at-1)*size + 1, Last: min(at*size, total)}
	if p.First > total {
		p.First, p.Last = 0, 0
	}
	link := func(n int) string {
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		return "?" + q.Encode()
	}
	if at > 1 {
		p.Previous = link(at - 1)
	}
	if at*size < total {
		p.Next = link(at + 1)
	}
	p.Here = link(at)
	return p
}
