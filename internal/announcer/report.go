package announcer

import (
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"starling/peer"
	"starling/tracker"
)

// paramsOf is a report as parameters of an announce: docs/fleet.md.
func paramsOf(r *peer.Report) []tracker.Param {
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	out := []tracker.Param{
		{Name: "x_size", Value: num(r.Size)}, {Name: "x_done", Value: num(r.Done)},
		{Name: "x_down", Value: num(r.Down)}, {Name: "x_up", Value: num(r.Up)},
		{Name: "x_state", Value: string(r.State)}, {Name: "x_why", Value: string(r.Why)},
		{Name: "x_have", Value: base64.RawURLEncoding.EncodeToString(r.Have[:])},
	}
	if r.LeftS >= 0 {
		out = append(out, tracker.Param{Name: "x_left_s", Value: num(r.LeftS)})
	}
	if from := fromOf(r.From); from != "" {
		out = append(out, tracker.Param{Name: "x_from", Value: from})
	}
	return out
}

// fromOf lists who gives us bytes. A remote whose address is a name is left out.
func fromOf(feeds []peer.Feed) string {
	var all []string
	for _, f := range feeds {
		who := "web"
		if !f.Web {
			at, err := netip.ParseAddrPort(f.Addr)
			if err != nil {
				continue
			}
			b, _ := at.Addr().Unmap().WithZone("").MarshalBinary()
			who = hex.EncodeToString(append(b, byte(at.Port()>>8), byte(at.Port())))
		}
		all = append(all, who+"-"+strconv.FormatInt(f.Rate, 10))
	}
	return strings.Join(all, ".")
}
