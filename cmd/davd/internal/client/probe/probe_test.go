package probe

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/davclient"
)

// prober is one for the server at the URL.
func prober(t *testing.T, at string, out io.Writer) (*Prober, *url.URL) {
	t.Helper()
	client, err := davclient.New(at)
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	client.Transport = base
	return &Prober{Client: client, Out: out, Seconds: 1, Patience: 2 * time.Second}, client.Base
}

// TestProbeThrough: each thing that a proxy can do, and what is said of it.
func TestProbeThrough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		interim dav.Interim
		forward func(*proxy, io.Writer) bool
		request func(string) string
		want    verdict
	}{
		{name: "HAProxy: forwarded", forward: passAll, want: passed},
		{name: "as declared", interim: dav.Interim{Proxy: dav.ProxyApache}, forward: cutAt(10, false), want: passedAsDeclared},
		{name: "swallowed", forward: swallowAll, want: swallowed},
		{name: "some lost", forward: loseSome, want: someLost},
		{name: "held back", forward: holdAll(), want: heldBack},
		{name: "Apache: cut after the tenth", forward: cutAfter(10), want: cutAtTenth},
		{name: "cut at the tenth", forward: cutAt(10, false), want: cutAtTenth},
		{name: "Apache with Suppress: cut at the tenth", forward: cutAt(10, true), want: cutAtTenth},
		{name: "Go 1.23: cut at the sixth", forward: cutAt(6, false), want: cutAtSixth},
		{name: "Varnish: cut at the first", forward: cutAt(1, false), want: cutAtFirst},
		{name: "cut elsewhere", forward: cutAt(3, false), want: cut},
		{name: "nginx: never answered", forward: firstIsFinal, want: neverAnswered},
		{name: "out of step", forward: outOfTurn, want: outOfStep},
		{name: "the preference is lost", forward: passAll, request: without("Prefer"), want: notAsked},
		{name: "RFC 9110 §15.2: HTTP/1.0 on the way", forward: passAll, request: asHTTP10, want: overHTTP10},
		{name: "switched off", interim: dav.Interim{Mode: dav.InterimNever}, forward: passAll, want: switchedOff},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&dav.Handler{FileSystem: webdav.NewMemFS(), Interim: c.interim})
			t.Cleanup(server.Close)
			at := startProxy(t, &proxy{server: addressOf(server), forward: c.forward, request: c.request})
			var out strings.Builder
			p, ref := prober(t, at, &out)
			err := p.Probe(t.Context(), ref)
			if !strings.Contains(out.String(), "\n\n"+findings[c.want].text()+"\n") {
				t.Errorf("%s", out.String())
			}
			if good := c.want == passed || c.want == passedAsDeclared; good != (err == nil) || err != nil && !errors.Is(err, ErrNotPassed) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestProbeOthers: who is no davd, or lets nobody write, is left as it is.
func TestProbeOthers(t *testing.T) {
	tree := webdav.NewMemFS()
	if err := tree.Mkdir(t.Context(), "/a", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
		err     string // "": it is probed
	}{
		{"x/net", &webdav.Handler{FileSystem: tree, LockSystem: webdav.NewMemLS()}, ""},
		{"read-only", &dav.Handler{FileSystem: tree, ReadOnly: true}, ""},
		{"no WebDAV", http.NotFoundHandler(), "404"},
		{"nobody may", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }), "401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			t.Cleanup(server.Close)
			var out strings.Builder
			p, ref := prober(t, server.URL, &out)
			err := p.Probe(t.Context(), ref)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v", err)
				}
				return
			}
			if !errors.Is(err, ErrNotPassed) || !strings.Contains(out.String(), findings[notProbed].what) {
				t.Errorf("%v: %s", err, out.String())
			}
			if _, err := tree.Stat(t.Context(), "/a"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFindings: there is one for each verdict.
func TestFindings(t *testing.T) {
	for v := passed; v <= notProbed; v++ {
		if findings[v].what == "" {
			t.Errorf("none for %d", v)
		}
	}
}

// TestWatch: a real operation, and what came of it when.
func TestWatch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Progress", r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Destination")+" "+r.Header.Get("Overwrite"))
		w.WriteHeader(http.StatusProcessing)
		w.Header().Set("Progress", "a\tb")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	}))
	t.Cleanup(server.Close)
	var out strings.Builder
	p, ref := prober(t, server.URL+"/a%20b", &out)
	status, err := p.Watch(t.Context(), "COPY", ref, &url.URL{Path: "/c d"})
	if status != http.StatusCreated || err != nil {
		t.Fatal(status, err)
	}
	for _, want := range []string{" s  102 Processing\n            Progress: COPY /a%20b /c%20d F\n", " s  201 Created\n", "the end, 4 bytes"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, out.String())
		}
	}
}
