package interim

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

const (
	// unlimited is more interim responses than any operation sends.
	unlimited = Unlimited
	// continueSize is the length of a 100 (Continue), in bytes.
	continueSize = len("HTTP/1.1 100 Continue\r\n\r\n")
)

// Grant says which interim responses one request may get.
type Grant struct {
	// Limit is their maximum number.
	Limit int
	// bytes is their maximum total length; 0 means hardBudget.
	bytes int
	// Asked: the client sent Prefer: processing.
	Asked bool
	// Refused says why limit is 0.
	Refused Withheld
	// by names the client or proxy that sets the limit.
	by string
}

// budget returns the maximum total length in bytes.
func (g *Grant) budget() int { return cmp.Or(g.bytes, hardBudget) }

// spent returns the reason why the request gets no more after sent interim responses.
func (g *Grant) spent(sent int) Withheld {
	switch {
	case g.Limit == 0:
		return g.Refused
	case sent >= g.Limit:
		return Withheld{Rule: 5, Reason: "the limit of " + g.by + " is reached"}
	}
	return Withheld{Rule: 5, Reason: fmt.Sprintf("the limit of %d KiB of headers is reached", g.budget()>>10)}
}

// Grant returns what the request r may get.
func (i *Policy) Grant(r *http.Request) Grant {
	asked := field.PrefersProcessing(r.Header)
	client, known := i.Client(r.UserAgent())
	refused := i.refusal(r, asked, known)
	if refused.Rule != 0 {
		return Grant{Asked: asked, Refused: refused}
	}
	g := Grant{Limit: unlimited, Asked: asked, by: "any client"}
	if known {
		g.Limit, g.by = max(client.Cap, 0), client.Product
		if client.Bytes > 0 {
			g.bytes = max(min(client.Bytes/3*2, hardBudget), 1) // the final response needs room too
		}
	}
	if i.Proxy == ProxyApache && g.Limit > apacheCap {
		g.Limit, g.by = apacheCap, "an Apache httpd in front"
	}
	if g.Limit > 0 && expectsContinue(r) {
		g.Limit--
		g.bytes = g.budget() - continueSize
		g.by += " after a 100 (Continue)"
	}
	if g.Limit == 0 {
		g.Refused = Withheld{Rule: 5, Reason: g.by + " accepts none"}
	}
	return g
}

// refusal returns the rule that forbids interim responses to the request, or a zero Withheld.
func (i *Policy) refusal(r *http.Request, asked, known bool) Withheld {
	switch {
	case !r.ProtoAtLeast(1, 1):
		return Withheld{Rule: 2, Reason: "the request is " + r.Proto}
	case field.ViaHTTP10(r.Header):
		return Withheld{Rule: 2, Reason: "Via says HTTP/1.0"}
	case i.Mode == Never:
		return Withheld{Rule: 3, Reason: "the mode is never"}
	case i.Mode == Always:
		return Withheld{}
	}
	if sign := field.ProxySign(r.Header); sign != "" && i.Proxy == ProxyNone {
		return Withheld{Rule: 3, Reason: sign + " shows a proxy, and no proxy is declared to pass on interim responses"}
	}
	if !asked && !known {
		return Withheld{Rule: 3, Reason: "the client is unknown and did not ask"}
	}
	return Withheld{}
}

// expectsContinue reports whether the client may get a 100 (Continue) (RFC 9110
// §10.1.1).
func expectsContinue(r *http.Request) bool {
	for element := range field.Elements(r.Header["Expect"]) {
		if strings.EqualFold(element, "100-continue") {
			return true
		}
	}
	return false
}

// NoOperation reports to Withheld a request that asks for interim responses, but can't
// get any because of its method.
func (i *Policy) NoOperation(r *http.Request) {
	if i.Withheld != nil && field.PrefersProcessing(r.Header) {
		i.Withheld(r, Withheld{Rule: 1, Reason: r.Method + " requests get none"})
	}
}
