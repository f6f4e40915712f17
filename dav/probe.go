package dav

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/tree"
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

// isProbe reports whether r is a COPY of the ProbeName of a collection.
func isProbe(r *request) bool {
	return r.Method == "COPY" && path.Base(r.name) == ProbeName
}

// probe answers a probe of name. It uses the storage only to check that the
// collection exists.
func (h *Handler) probe(w http.ResponseWriter, r *request) error {
	if err := h.checkParent(r.Context(), r.name); err != nil {
		return err
	}
	length, err := probeLength(r)
	if err != nil {
		return err
	}
	leave, err := r.enterOperation()
	if err != nil {
		return err
	}
	defer leave()
	every := length / probeResponses
	policy := h.Interim
	if policy.Proxy == interim.ProxyNone {
		policy.Proxy = interim.ProxyPass // the probe must reach the proxies to test them
	}
	allowed := policy.Grant(r.Request)
	// A client that asked for interim responses would get them at another pace.
	allowed.Limit, allowed.Asked = min(allowed.Limit, probeResponses), false
	emission := h.emission(r.Request, r.Method, path.Dir(r.name))
	emission.Policy, emission.Grant = &interim.Policy{After: -1, Every: every, Sent: h.Interim.Sent}, &allowed
	monitor := new(tree.Monitor)
	listing := operation.Listing{Source: r.name, Destination: r.name, Watch: treeMonitor{monitor}, Status: http.StatusOK}
	return h.registry().Follow(w, r.operationRequest(operation.Key{}), emission, listing, func(ctx context.Context, x *operation.Exchange) error {
		if err := probe(ctx, monitor, allowed.Limit, every); err != nil {
			return err
		}
		return status.Logged(browser.WriteJSON(x.Response, http.StatusOK, &ProbeReport{
			Sent: x.Quiet(), Withheld: allowed.Refused.Reason,
			Mode: h.Interim.Mode.String(), Proxy: h.Interim.Proxy.String(), Protocol: r.Proto,
			Via: strings.Join(r.Header.Values("Via"), ", "), Proxied: field.ProxySign(r.Header) != "",
		}))
	})
}

// probe imitates an operation on the given number of members, each of which takes the
// time every.
func probe(ctx context.Context, monitor *tree.Monitor, members int, every time.Duration) error {
	monitor.Found(int64(members), 0)
	timer := time.NewTimer(every)
	defer timer.Stop()
	for range members {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			monitor.Advance()
			timer.Reset(every)
		}
	}
	return nil
}

// probeLength returns the duration of the probe from the query.
func probeLength(r *request) (time.Duration, error) {
	query := r.URL.Query()
	if !query.Has("seconds") {
		return 3 * time.Second, nil
	}
	n, err := strconv.Atoi(query.Get("seconds"))
	if err != nil || n < 1 || n > 20 {
		return 0, status.New(http.StatusBadRequest, "seconds must be from 1 to 20")
	}
	return time.Duration(n) * time.Second, nil
}
