package dav_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
)

// copySrc is a COPY with additional header fields.
func copySrc(fields ...string) wireRequest {
	return wireRequest{method: "COPY", target: "/src", fields: append([]string{toDst}, fields...)}
}

// checkWithheld checks the reason for getting no more interim responses, if rule is not
// 0.
func checkWithheld(t *testing.T, got outcome, rule, sent int) {
	t.Helper()
	switch {
	case rule == 0 && len(got.withheld) != 0:
		t.Errorf("withheld: %+v", got.withheld)
	case rule != 0 && (len(got.withheld) != 1 || got.withheld[0].Rule != rule || got.withheld[0].Sent != sent):
		t.Errorf("withheld: %+v, want rule %d after %d", got.withheld, rule, sent)
	}
}

// TestInterimRule4: the first one is sent after 20 s, and then one each 20 s (RFC 2518
// §10.1) or as configured. A client that asked gets the first one immediately.
func TestInterimRule4(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name    string
		interim interim.Policy
		fields  []string
		length  time.Duration
		want    []time.Duration
		rule    int
	}{
		{name: "RFC 2518 §10.1", fields: []string{safe}, length: 70 * s, want: []time.Duration{20 * s, 40 * s, 60 * s}},
		{name: "quick", fields: []string{safe}, length: 19 * s, rule: 4},
		{name: "quick, unknown client", fields: []string{stranger}, length: 19 * s, rule: 3},
		{name: "configured", interim: interim.Policy{After: s, Every: 3 * s}, fields: []string{safe}, length: 8 * s, want: []time.Duration{s, 4 * s, 7 * s}},
		{name: "immediately", interim: interim.Policy{After: -1, Every: 5 * s}, fields: []string{safe}, length: 11 * s, want: []time.Duration{0, 5 * s, 10 * s}},
		{name: "asks, no changes after the members are counted", fields: []string{asks}, length: 50*s + s/2, want: []time.Duration{0, s, 21 * s, 41 * s}},
		{name: "asks, quick", fields: []string{asks}, length: s / 2, want: []time.Duration{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := virtually(t, &dav.Handler{Interim: c.interim}, plant(t), c.length, copySrc(c.fields...))
				if fmt.Sprint(got.interims) != fmt.Sprint(c.want) || got.status != 201 {
					t.Errorf("sent at %v, want %v; then %d", got.interims, c.want, got.status)
				}
				checkWithheld(t, got, c.rule, 0)
			})
		})
	}
}

// TestInterimRule5: there are no more than the client and the proxy in front survive,
// including a 100 (Continue), in every mode and even if the client asks. An hour has
// time for 180.
func TestInterimRule5(t *testing.T) {
	const (
		davfs2 = "User-Agent: davfs2/1.6.1 neon/0.32.5"
		rclone = "User-Agent: rclone/v1.60.1-DEV"
		jdk    = "User-Agent: Java-http-client/17.0.15"
		expect = "Expect: 100-continue"
	)
	always := interim.Policy{Mode: interim.Always}
	apache := interim.Policy{Proxy: interim.ProxyApache}
	apacheAlways := interim.Policy{Proxy: interim.ProxyApache, Mode: interim.Always}
	for _, c := range []struct {
		name    string
		interim interim.Policy
		fields  []string
		want    int
	}{
		{name: "neon before 0.33", fields: []string{davfs2}, want: 120},
		{name: "neon from 0.33 on", fields: []string{"User-Agent: davfs2/1.7.1 neon/0.34.2"}, want: 180},
		{name: "gvfs", fields: []string{safe}, want: 180},
		{name: "rclone built with Go before 1.24", fields: []string{rclone}, want: 4},
		{name: "rclone built with a later Go", fields: []string{"User-Agent: rclone/v1.75.1"}, want: 180},
		{name: "Go", fields: []string{"User-Agent: Go-http-client/1.1"}, want: 4},
		{name: "JDK", fields: []string{jdk}, want: 8},
		{name: "a limited client asks", fields: []string{rclone, asks}, want: 4},
		{name: "always", interim: always, fields: []string{jdk}, want: 8},
		{name: "always, unknown client", interim: always, fields: []string{stranger}, want: 180},
		{name: "100 (Continue)", fields: []string{rclone, expect}, want: 3},
		{name: "none", fields: []string{unsafe}},
		{name: "none, asks", fields: []string{unsafe, asks}},
		{name: "none, always", interim: always, fields: []string{unsafe}},
		{name: "none, 100 (Continue)", interim: always, fields: []string{unsafe, expect}},
		{name: "apache", interim: apache, fields: []string{safe}, want: 9},
		{name: "apache, behind it", interim: apache, fields: []string{safe, "X-Forwarded-For: 192.0.2.1", "Via: 1.1 p"}, want: 9},
		{name: "apache, asks", interim: apache, fields: []string{asks}, want: 9},
		{name: "apache, always", interim: apacheAlways, fields: []string{stranger}, want: 9},
		{name: "apache, 100 (Continue)", interim: apache, fields: []string{safe, expect}, want: 8},
		{name: "apache, a client with a smaller limit", interim: apache, fields: []string{jdk}, want: 8},
		{name: "an undeclared proxy, always", interim: always, fields: []string{stranger, "Via: 1.1 p"}, want: 180},
		{name: "a proxy that passes them on", interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{safe, "Via: 1.1 p"}, want: 180},
		{name: "the operator's client", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "gvfs", Cap: 2}}}, fields: []string{safe}, want: 2},
		{name: "the operator's client gets none", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "gvfs"}}}, fields: []string{safe}},
		{name: "the operator's client gets one and 100 (Continue)", interim: interim.Policy{Clients: []interim.KnownClient{{Product: "gvfs", Cap: 1}}}, fields: []string{safe, expect}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := virtually(t, &dav.Handler{Interim: c.interim}, plant(t), time.Hour+10*time.Second, copySrc(c.fields...))
				if len(got.interims) != c.want || got.status != 201 {
					t.Errorf("%d interim responses, want %d; then %d", len(got.interims), c.want, got.status)
				}
				if c.want < 180 {
					checkWithheld(t, got, 5, c.want)
				} else {
					checkWithheld(t, got, 0, 0)
				}
			})
		})
	}
}

// TestInterimRule5Continue: a 100 (Continue) and the interim responses together are no
// more than the client survives.
func TestInterimRule5Continue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newGate(plant(t))
		fsys.close()
		time.AfterFunc(time.Hour, fsys.open)
		server, client := pipeServer(t, &dav.Handler{FileSystem: fsys, Interim: interim.Policy{After: -1}})
		request := wireRequest{
			method: "PROPFIND", target: "/src", body: propfindBody,
			fields: []string{"Depth: 1", "Expect: 100-continue", "User-Agent: Go-http-client/1.1"},
		}
		go io.WriteString(client, request.text("HTTP/1.1")) //nolint:errcheck // missing data shows in the answer
		answer, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		continues, interims := strings.Count(string(answer), "HTTP/1.1 100 "), strings.Count(string(answer), "HTTP/1.1 102 ")
		if continues != 1 || interims != 3 || !strings.Contains(string(answer), "HTTP/1.1 207 ") {
			t.Errorf("%d and %d before the final response, want 1 and 3: %s", continues, interims, answer)
		}
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestInterimRule5Bytes: the headers of an answer end at 200 KiB, or at two thirds of
// what the client survives.
func TestInterimRule5Bytes(t *testing.T) {
	for name, c := range map[string]struct {
		client interim.KnownClient
		most   int
	}{
		"any client":      {interim.KnownClient{Product: "app", Cap: interim.Unlimited}, 200 << 10},
		"curl":            {interim.KnownClient{Product: "app", Cap: interim.Unlimited, Bytes: 300 << 10}, 200 << 10},
		"a smaller limit": {interim.KnownClient{Product: "app", Cap: interim.Unlimited, Bytes: 30 << 10}, 20 << 10},
		"a larger limit":  {interim.KnownClient{Product: "app", Cap: interim.Unlimited, Bytes: 10 << 20}, 200 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(plant(t))
				g.close()
				time.AfterFunc(24*time.Hour, g.open)
				h := &dav.Handler{FileSystem: g, Interim: interim.Policy{After: time.Second, Every: time.Second, Clients: []interim.KnownClient{c.client}}}
				withheld := noting(h)
				server, client := pipeServer(t, h)
				go io.WriteString(client, copySrc("User-Agent: app/1").text("HTTP/1.1")) //nolint:errcheck // shows in the answer
				answer, err := io.ReadAll(client)
				if err != nil {
					t.Fatal(err)
				}
				if err := server.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				interims, _, found := strings.Cut(string(answer), "HTTP/1.1 201 ")
				const spare = 1 << 10 // the longest headers come last
				if !found || len(interims) > c.most+spare || len(interims) < c.most-spare {
					t.Errorf("%d bytes of interim responses, want %d", len(interims), c.most)
				}
				checkWithheld(t, outcome{withheld: withheld()}, 5, strings.Count(interims, " 102 "))
			})
		})
	}
}

// slowCommit is storage that takes 65 s to close a file that was written, and to make a
// collection.
type slowCommit struct{ storage.FS }

func (s slowCommit) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	file, err := s.FS.OpenFile(ctx, name, flag, perm)
	if err == nil && flag&os.O_CREATE != 0 {
		file = slowClose{file}
	}
	return file, err
}

func (s slowCommit) Mkdir(ctx context.Context, name string, perm os.FileMode) error {
	time.Sleep(65 * time.Second) // virtual
	return s.FS.Mkdir(ctx, name, perm)
}

type slowClose struct{ webdav.File }

func (s slowClose) Close() error {
	time.Sleep(65 * time.Second) // virtual
	return s.File.Close()
}

// TestInterimOneResource: a request for one resource gets interim responses while the
// storage takes long, but only after its body.
func TestInterimOneResource(t *testing.T) {
	for _, c := range []struct {
		request wireRequest
		want    int
	}{
		{wireRequest{method: "PUT", target: "/new", body: "content"}, 3},
		{wireRequest{method: "PATCH", target: "/src/a.txt", body: "x", fields: []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: bytes=0-0"}}, 3},
		{wireRequest{method: "MKCOL", target: "/new/"}, 3},
	} {
		t.Run(c.request.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{FileSystem: slowCommit{plant(t)}}
				c.request.fields = append(c.request.fields, safe)
				server, client := pipeServer(t, h)
				got := converse(t, client, c.request.text("HTTP/1.1"))
				if err := server.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if len(got.interims) != c.want || got.status/100 != 2 {
					t.Errorf("interim responses at %v, then %d", got.interims, got.status)
				}
			})
		})
	}
}
