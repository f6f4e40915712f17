package dav_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
)

// probed is the final response to a probe, and the headers Progress before it.
type probed struct {
	answer
	report   operation.ProbeReport
	progress []string
}

// probe sends a COPY of target.
func (c *bubbleClient) probe(target string, fields ...string) (p probed) {
	c.Helper()
	c.ask("COPY "+target, fields...)
	interims, final := c.final()
	for _, interim := range interims {
		p.progress = append(p.progress, interim.header.Get("Progress"))
	}
	p.answer = final
	if p.status == http.StatusOK {
		if err := json.Unmarshal([]byte(p.body), &p.report); err != nil {
			c.Error(err)
		}
	}
	return p
}

// TestProbe tests the interim responses of a probe, and its report.
func TestProbe(t *testing.T) {
	const h1, lost = "HTTP/1.1", "the client is unknown and did not ask"
	for _, c := range []struct {
		name    string
		interim interim.Policy
		fields  []string
		report  operation.ProbeReport
	}{
		{"asked", interim.Policy{}, []string{"Prefer: processing"}, operation.ProbeReport{Sent: 12, Mode: "auto", Proxy: "none", Protocol: h1}},
		{"behind a proxy", interim.Policy{}, []string{"Prefer: processing", "Via: 1.1 p"}, operation.ProbeReport{Sent: 12, Mode: "auto", Proxy: "none", Protocol: h1, Via: "1.1 p", Proxied: true}},
		{"behind Apache", interim.Policy{Proxy: interim.ProxyApache}, []string{"Prefer: processing"}, operation.ProbeReport{Sent: 9, Mode: "auto", Proxy: "apache", Protocol: h1}},
		{"the preference was lost", interim.Policy{}, nil, operation.ProbeReport{Withheld: lost, Mode: "auto", Proxy: "none", Protocol: h1}},
		{"never", interim.Policy{Mode: interim.Never}, []string{"Prefer: processing"}, operation.ProbeReport{Withheld: "the mode is never", Mode: "never", Proxy: "none", Protocol: h1}},
		{"RFC 9110 §15.2: through HTTP/1.0", interim.Policy{Mode: interim.Always}, []string{"Prefer: processing", "Via: 1.0 p"}, operation.ProbeReport{Withheld: "Via says HTTP/1.0", Mode: "always", Proxy: "none", Protocol: h1, Via: "1.0 p", Proxied: true}},
		{"a client that bears four", interim.Policy{}, []string{"Prefer: processing", "User-Agent: Go-http-client/1.1"}, operation.ProbeReport{Sent: 4, Mode: "auto", Proxy: "none", Protocol: h1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &share{TB: t, fsys: webdav.NewMemFS()}
				s.plantLayout(layout{"/a/b": "b"})
				client := serveBubble(t, &dav.Handler{FileSystem: s.fsys, Interim: c.interim}).dial()
				began := time.Now()
				p := client.probe("/a/.davd-probe?seconds=1", c.fields...)
				if p.status != http.StatusOK || p.report != c.report || len(p.progress) != c.report.Sent {
					t.Fatalf("%d %+v after %q, want %+v", p.status, p.report, p.progress, c.report)
				}
				if took := time.Since(began); c.report.Sent == 12 && took.Round(time.Millisecond) != time.Second {
					t.Errorf("it took %v", took)
				}
				if c.report.Sent == 12 && (p.progress[0] != "0/12" && p.progress[0] != "0/" || !slices.IsSorted(p.progress[1:9])) {
					t.Errorf("progress %q", p.progress)
				}
				s.holds(layout{"/a/b": "b"})
			})
		})
	}
}

// TestProbeRefused checks that only a COPY in an existing collection of a writable
// share is a probe.
func TestProbeRefused(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		readOnly             bool
		status               int
	}{
		{"read-only", "COPY", "/a/.davd-probe", true, http.StatusForbidden},
		{"another method", "MOVE", "/a/.davd-probe", false, http.StatusForbidden},
		{"a listing", "PROPFIND", "/a/.davd-probe", false, http.StatusNotFound},
		{"another reserved name", "COPY", "/a/.davd-probes", false, http.StatusForbidden},
		{"below it", "COPY", "/a/.davd-probe/c", false, http.StatusForbidden},
		{"no collection", "COPY", "/x/.davd-probe", false, http.StatusConflict},
		{"a file", "COPY", "/a/b/.davd-probe", false, http.StatusConflict},
		{"too long", "COPY", "/a/.davd-probe?seconds=21", false, http.StatusBadRequest},
		{"too short", "COPY", "/a/.davd-probe?seconds=0", false, http.StatusBadRequest},
		{"no number", "COPY", "/a/.davd-probe?seconds=x", false, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{ReadOnly: c.readOnly}, layout{"/a/b": "b"})
			s.wants(c.status, c.method, c.target, "Prefer: processing", "Destination: /a/.davd-probe")
		})
	}
}

// TestProbeListed checks that a probe is listed as an operation, and ends if its client
// disconnects.
func TestProbeListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{FileSystem: webdav.NewMemFS()}
		client := serveBubble(t, h).dial()
		client.ask("COPY /.davd-probe?seconds=20", "Prefer: processing")
		if a := client.next(); a.status != http.StatusProcessing {
			t.Errorf("the first response is %d", a.status)
		}
		if list := h.Operations(); len(list) != 1 || list[0].Method != "COPY" || list[0].Source != "/.davd-probe" {
			t.Errorf("listed: %+v", list)
		}
		_ = client.Close()
		synctest.Wait()
		if list := h.Operations(); len(list) != 0 {
			t.Errorf("still listed: %+v", list)
		}
	})
}
