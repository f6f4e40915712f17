package operation

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

// ProbeName is a reserved name in each collection. A client can COPY it to find out what
// the proxies in between do with interim responses: the Handler sends interim responses
// for some seconds and then a [ProbeReport]. No resource ever has this name, so any other
// server treats the request as a COPY of a missing resource.
//
// The query sets the duration in seconds: "?seconds=5", from 1 to 20, 3 by default. A
// read-only share refuses a probe like any other COPY.
const ProbeName = ".davd-probe"

// ProbeReport is the content of a probe's final response, in JSON.
type ProbeReport struct {
	// Sent is the number of interim responses that the server sent: 12, or the limit
	// of the proxy or the client.
	Sent int `json:"sent"`
	// Withheld says why the server sent none.
	Withheld string `json:"withheld,omitempty"`
	// Mode and Proxy are the fields of [interim.Policy].
	Mode  string `json:"mode"`
	Proxy string `json:"proxy"`
	// Protocol is the HTTP version of the request as it arrived. Via is its header Via.
	Protocol string `json:"protocol"`
	Via      string `json:"via,omitempty"`
	// Proxied says whether the request shows signs of a proxy.
	Proxied bool `json:"proxied"`
}

// probeResponses is the number of interim responses that a probe sends. It is more
// than Apache forwards, which is nine.
const probeResponses = 12

// The length of a probe, in seconds.
const (
	probeSeconds    = 3
	maxProbeSeconds = 20
)

// Probe answers a probe of name. about is what the interim responses to it report.
func (s *Registry) Probe(w http.ResponseWriter, r Request, about interim.Emission, name string) error {
	length, err := probeLength(r.Request)
	if err != nil {
		return err
	}
	every := length / probeResponses
	own := about.Policy
	policy := *own
	if policy.Proxy == interim.ProxyNone {
		policy.Proxy = interim.ProxyPass // the probe must reach the proxies to test them
	}
	allowed := policy.Grant(r.Request)
	// A client that asked for interim responses would get them at another pace.
	allowed.Limit, allowed.Asked = min(allowed.Limit, probeResponses), false
	about.Policy, about.Grant = &interim.Policy{After: -1, Every: every, Sent: own.Sent}, &allowed
	monitor := new(Counter)
	listing := Listing{Source: name, Destination: name, Watch: monitor, Status: http.StatusOK}
	return s.Follow(w, r, about, listing, func(ctx context.Context, x *Exchange) error {
		if err := probe(ctx, monitor, allowed.Limit, every); err != nil {
			return err
		}
		return status.Logged(browser.WriteJSON(x.Response, http.StatusOK, &ProbeReport{
			Sent: x.Quiet(), Withheld: allowed.Refused.Reason,
			Mode: own.Mode.String(), Proxy: own.Proxy.String(), Protocol: r.Proto,
			Via: strings.Join(r.Header.Values("Via"), ", "), Proxied: field.ProxySign(r.Header) != "",
		}))
	})
}

// probe imitates an operation on the given number of members, each of which takes the
// time every.
func probe(ctx context.Context, monitor *Counter, members int, every time.Duration) error {
	monitor.Total(int64(members), 0)
	timer := time.NewTimer(every)
	defer timer.Stop()
	for range members {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			monitor.Add(1, 0)
			timer.Reset(every)
		}
	}
	return nil
}

// probeLength returns the duration of the probe from the query.
func probeLength(r *http.Request) (time.Duration, error) {
	query := r.URL.Query()
	if !query.Has("seconds") {
		return probeSeconds * time.Second, nil
	}
	n, err := strconv.Atoi(query.Get("seconds"))
	if err != nil || n < 1 || n > maxProbeSeconds {
		return 0, &status.Error{
			Status: http.StatusBadRequest,
			Reason: "seconds must be from 1 to " + strconv.Itoa(maxProbeSeconds),
		}
	}
	return time.Duration(n) * time.Second, nil
}
