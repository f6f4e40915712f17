package probe

import (
	"errors"
	"fmt"
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
	"github.com/davd/davd/dav/interim"
)

// prober returns a Prober for the server at the URL at.
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

// TestProbeThrough checks the verdict for each behaviour of a proxy.
func TestProbeThrough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		interim interim.Policy
		agent   string
		forward func(*proxy, io.Writer) bool
		request func(string) string
		want    *verdict
	}{
		{name: "HAProxy: forwarded", forward: passAll, want: passed},
		{name: "as declared", interim: interim.Policy{Proxy: interim.ProxyApache}, forward: cutAt(10, false), want: passedAsDeclared},
		{name: "a cap for davd: not held back", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "davd", Cap: 3}}}, agent: "davd/1", forward: passAll, want: passed},
		{name: "a cap of one", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "davd", Cap: 1}}}, agent: "davd/1", forward: passAll, want: passed},
		{name: "a cap, and held back", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "davd", Cap: 3}}}, agent: "davd/1", forward: holdAll(), want: heldBack},
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
		{name: "broken at the first", forward: breakOff, want: broken},
		{name: "out of step", forward: outOfTurn, want: outOfStep},
		{name: "the preference is lost", forward: passAll, request: without("Prefer"), want: notAsked},
		{name: "RFC 9110 §15.2: HTTP/1.0 on the way", forward: passAll, request: asHTTP10, want: overHTTP10},
		{name: "switched off", interim: interim.Policy{Mode: interim.Never}, forward: passAll, want: switchedOff},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&dav.Handler{FileSystem: webdav.NewMemFS(), Interim: c.interim})
			t.Cleanup(server.Close)
			at := startProxy(t, &proxy{server: addressOf(server), forward: c.forward, request: c.request})
			var out strings.Builder
			p, ref := prober(t, at, &out)
			p.Client.UserAgent = c.agent
			err := p.Probe(t.Context(), ref)
			if !strings.Contains(out.String(), "\n\n"+c.want.text()+"\n") {
				t.Errorf("%s", out.String())
			}
			if good := c.want == passed || c.want == passedAsDeclared; good != (err == nil) || err != nil && !errors.Is(err, ErrNotPassed) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestProbeOthers checks that a probe changes nothing on a server that is not a davd or that
// refuses writes.
func TestProbeOthers(t *testing.T) {
	tree := webdav.NewMemFS()
	if err := tree.Mkdir(t.Context(), "/a", 0o777); err != nil {
		t.Fatal(err)
	}
	denies := func(text string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "COPY" {
				http.Error(w, text, status)
				return
			}
			(&dav.Handler{FileSystem: tree}).ServeHTTP(w, r)
		}
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
		err     string // "" means that the probe is sent
		verdict *verdict
		said    string
	}{
		{"x/net", &webdav.Handler{FileSystem: tree, LockSystem: webdav.NewMemLS()}, "", refused, "403 Forbidden, arrived"},
		{"not a davd", denies("", http.StatusNotFound), "", notProbed, "404 Not Found"},
		{"read-only", &dav.Handler{FileSystem: tree, ReadOnly: true}, "", refused, "403 Forbidden (this share is read-only)"},
		{"a user who may not write", denies("bob may only read", http.StatusForbidden), "", refused, "403 Forbidden (bob may only read)"},
		{"not a WebDAV server", http.NotFoundHandler(), "404", nil, ""},
		{"a plain web server", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }), "501 Not Implemented: it is not a WebDAV server", nil, ""},
		{"without a password", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }), "401", nil, ""},
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
			if !errors.Is(err, ErrNotKnown) || !strings.Contains(out.String(), c.verdict.what) || !strings.Contains(out.String(), c.said) {
				t.Errorf("%v: %s", err, out.String())
			}
			if _, err := tree.Stat(t.Context(), "/a"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWatch watches a real operation.
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
	if err := p.Watch(t.Context(), "COPY", ref, &url.URL{Path: "/c d"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" s  102 Processing\n            Progress: COPY /a%20b /c%20d F\n", " s  201 Created\n", "end of the body, 4 bytes"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, out.String())
		}
	}
}

// TestWatchFails checks the errors for unsuccessful final responses (RFC 4918 §13).
func TestWatchFails(t *testing.T) {
	const multistatus = `<multistatus xmlns="DAV:"><response><href>/a/b</href><status>HTTP/1.1 423 Locked</status></response></multistatus>`
	for _, c := range []struct {
		status  int
		body    string
		text    string
		members int
	}{
		{http.StatusMultiStatus, multistatus, "", 1},
		{http.StatusForbidden, "bob may only read", "bob may only read", 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		t.Cleanup(server.Close)
		var out strings.Builder
		p, ref := prober(t, server.URL, &out)
		wrong, ok := errors.AsType[*davclient.Error](p.Watch(t.Context(), "DELETE", ref, nil))
		if !ok || wrong.Status != c.status || wrong.Text != c.text || len(wrong.Members) != c.members {
			t.Errorf("%+v", wrong)
		}
		if want := fmt.Sprintf("end of the body, %d bytes\n", len(c.body)); !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, out.String())
		}
	}
}
