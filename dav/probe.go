package dav

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/storage/tree"
)

// ProbeName is a reserved name in each collection. A COPY of it does nothing for
// some seconds but to send interim responses, and then answers with a
// [ProbeReport]: whoever asks sees what the proxies between do with them. No
// resource ever has this name, so that for any other server, and for a davd that
// does not know it, such a COPY is one of what is not there.
//
// How long it takes is in the query: "?seconds=5", from 1 to 20; 3 without it.
// It is refused where the share is read-only: to whoever may not write, a COPY
// is.
const ProbeName = ".davd-probe"

// ProbeReport is the content of a probe's final response, in JSON.
type ProbeReport struct {
	// Sent is how many interim responses went out: 12, or as many as may be sent
	// through an InterimProxy or to the client.
	Sent int `json:"sent"`
	// Withheld says why none was sent.
	Withheld string `json:"withheld,omitempty"`
	// Mode and Proxy are those of [Interim].
	Mode  string `json:"mode"`
	Proxy string `json:"proxy"`
	// Protocol is that of the request as it arrived, and Via its header.
	Protocol string `json:"protocol"`
	Via      string `json:"via,omitempty"`
	// Proxied: the request shows that a proxy stands between.
	Proxied bool `json:"proxied"`
}

// probeResponses is how many interim responses a probe sends: more than Apache
// forwards, which are nine.
const probeResponses = 12

// The length of a probe, in seconds.
const (
	probeSeconds    = 3
	maxProbeSeconds = 20
)

// isProbe reports whether r is a COPY of the ProbeName of a collection.
func isProbe(r *http.Request, name string) bool {
	return r.Method == "COPY" && path.Base(name) == ProbeName
}

// serveProbe answers a probe of the resource name. It reads and writes nothing of
// the storage but to see that the collection is there.
func (h *Handler) serveProbe(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if err := h.checkParent(r.Context(), name); err != nil {
		return statusOf(err), err
	}
	length, err := probeLength(r)
	if err != nil {
		return statusOf(err), err
	}
	leave, err := h.enterOperation(r)
	if err != nil {
		return statusOf(err), err
	}
	defer leave()
	every := length / probeResponses
	policy := h.Interim
	if policy.Proxy == ProxyNone {
		policy.Proxy = ProxyPass // what stands between is what it is to find out
	}
	allowed := policy.grant(r)
	// A client that has asked would get them at another pace.
	allowed.limit, allowed.asked = min(allowed.limit, probeResponses), false
	e := &emitter{
		request: r, config: &Interim{After: -1, Every: every, Sent: h.Interim.Sent},
		grant: allowed, root: path.Dir(name), url: h.absoluteURL(r),
	}
	about := Operation{Source: name, Destination: name}
	return h.operateWith(e, w, about, func(ctx context.Context, res *response, monitor *tree.Monitor) (int, error) {
		if err := probe(ctx, monitor, allowed.limit, every); err != nil {
			return statusOf(err), err
		}
		e.stop()
		return 0, respondReport(res, &ProbeReport{
			Sent: e.sent, Withheld: allowed.refused.Reason,
			Mode: h.Interim.Mode.String(), Proxy: h.Interim.Proxy.String(), Protocol: r.Proto,
			Via: strings.Join(r.Header.Values("Via"), ", "), Proxied: proxied(r),
		})
	})
}

// probe is an operation on so many members, each of which takes as long as
// every.
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

// probeLength reads the query.
func probeLength(r *http.Request) (time.Duration, error) {
	query := r.URL.Query()
	if !query.Has("seconds") {
		return probeSeconds * time.Second, nil
	}
	n, err := strconv.Atoi(query.Get("seconds"))
	if err != nil || n < 1 || n > maxProbeSeconds {
		return 0, &statusError{
			status: http.StatusBadRequest,
			reason: "seconds must be from 1 to " + strconv.Itoa(maxProbeSeconds),
		}
	}
	return time.Duration(n) * time.Second, nil
}

func respondReport(w http.ResponseWriter, report *ProbeReport) error {
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(append(body, '\n'))
	return err
}
