package davclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/storage/latency"
)

// TestTransportOddities sends unusual interim responses before a final response, and
// tests what the program sees of them.
func TestTransportOddities(t *testing.T) {
	const final = "HTTP/1.1 201 Created\nContent-Length: 0\n\n"
	for _, c := range []struct {
		name, before string
		want         []string // status, progress, number of Status-URI, Location
	}{
		{name: "none"},
		{name: "one", before: "HTTP/1.1 102 Processing\nProgress: 1/2 \"a\"\n\n", want: []string{`102 1/2 "a" 0 ""`}},
		{name: "no header", before: "HTTP/1.1 102 Processing\n\n", want: []string{`102 - 0 ""`}},
		{name: "no reason phrase", before: "HTTP/1.1 102 \nProgress: 1/\n\n", want: []string{`102 1/ 0 ""`}},
		{name: "RFC 9110 §15.2.1: 100 is not handed over", before: "HTTP/1.1 100 Continue\n\nHTTP/1.1 102 Processing\n\n", want: []string{`102 - 0 ""`}},
		{name: "another status", before: "HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 199 What\n\n", want: []string{`103 - 0 ""`, `199 - 0 ""`}},
		{name: "malformed headers", before: "HTTP/1.1 102 Processing\nProgress: soon\nStatus-URI: 201 </a>, what\n\n", want: []string{`102 - 1 ""`}},
		{name: "RFC 2518 §9.7: two Status-URI", before: "HTTP/1.1 102 Processing\nStatus-URI: 404 </a>\nStatus-URI: 201 </b>\n\n", want: []string{`102 - 2 ""`}},
		{name: "a Location in angle brackets", before: "HTTP/1.1 102 Processing\nLocation: <?request=42>\n\n", want: []string{`102 - 0 "?request=42"`}},
		{name: "a plain Location", before: "HTTP/1.1 102 Processing\nLocation: /s/42\n\n", want: []string{`102 - 0 "/s/42"`}},
		{name: "Content-Length, which RFC 9110 §8.6 forbids", before: "HTTP/1.1 102 Processing\nContent-Length: 0\n\n", want: []string{`102 - 0 ""`}},
		{name: "a thousand", before: strings.Repeat("HTTP/1.1 102 Processing\n\n", 1000), want: strings.Split(strings.TrimSuffix(strings.Repeat("102 - 0 \"\"\n", 1000), "\n"), "\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, requests := scripted(t, c.before+final)
			var got []string
			ctx := davclient.WithInterim(t.Context(), func(i davclient.Interim) {
				progress := "-"
				if i.HasProgress {
					progress = i.Progress.String()
				}
				if time.Since(i.Time) > time.Minute {
					t.Errorf("the interim response has the time %v", i.Time)
				}
				got = append(got, fmt.Sprintf("%d %s %d %q", i.Status, progress, len(i.StatusURI), i.Location))
			})
			if created, err := clientOf(t, url).Copy(ctx, "/a", "/b", davclient.TransferOptions{}); !created || err != nil {
				t.Fatal(created, err)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%.300q, want %.300q", got, c.want)
			}
			r := <-requests
			if r.Header.Get("Prefer") != "processing" || r.UserAgent() != "davclient" {
				t.Errorf("Prefer %q, User-Agent %q", r.Header.Values("Prefer"), r.UserAgent())
			}
		})
	}
}

// TestTransportAsks tests when the transport asks for interim responses, and that it
// changes nothing else in a request.
func TestTransportAsks(t *testing.T) {
	url, requests := scripted(t, "HTTP/1.1 204 No Content\n\n")
	for _, c := range []struct {
		name      string
		transport davclient.Transport
		header    http.Header
		prefer    []string
		userAgent string
	}{
		{name: "no function wants interim responses", prefer: nil, userAgent: "Go-http-client/1.1"},
		{name: "the transport has a function", transport: davclient.Transport{Interim: func(*http.Request, davclient.Interim) {}}, prefer: []string{"processing"}, userAgent: "davclient"},
		{name: "RFC 7240 §2: beside another preference", transport: davclient.Transport{Interim: func(*http.Request, davclient.Interim) {}}, header: http.Header{"Prefer": {"wait=3"}, "User-Agent": {"mine/1"}}, prefer: []string{"wait=3", "processing"}, userAgent: "mine/1"},
		{name: "the request asks already", transport: davclient.Transport{Interim: func(*http.Request, davclient.Interim) {}}, header: http.Header{"Prefer": {"wait=3, Processing"}}, prefer: []string{"wait=3, Processing"}, userAgent: "davclient"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, url+"/a", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range c.header {
				r.Header[name] = values
			}
			before := fmt.Sprint(r.Header)
			response, err := c.transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			got := <-requests
			if fmt.Sprint(got.Header.Values("Prefer")) != fmt.Sprint(c.prefer) || got.UserAgent() != c.userAgent {
				t.Errorf("Prefer %q, User-Agent %q", got.Header.Values("Prefer"), got.UserAgent())
			}
			if fmt.Sprint(r.Header) != before {
				t.Errorf("the request was changed: %v", r.Header)
			}
		})
	}
}

// TestTransportUnasked checks that the program gets interim responses that it did
// not ask for.
func TestTransportUnasked(t *testing.T) {
	url, requests := scripted(t, "HTTP/1.1 102 Processing\nProgress: 1/2\n\nHTTP/1.1 204 No Content\n\n")
	var got []string
	ctx := davclient.WithUnasked(t.Context(), func(i davclient.Interim) { got = append(got, i.Progress.String()) })
	if err := clientOf(t, url).Delete(ctx, "/a"); err != nil {
		t.Fatal(err)
	}
	if r := <-requests; r.Header["Prefer"] != nil || fmt.Sprint(got) != "[1/2]" {
		t.Errorf("Prefer %q, %q", r.Header.Values("Prefer"), got)
	}
}

// TestTransportEnds checks that no call comes after RoundTrip has returned, even if
// the context ended it.
func TestTransportEnds(t *testing.T) {
	for range 20 {
		url, _ := scripted(t, strings.Repeat("HTTP/1.1 102 Processing\n\n", 2000))
		ctx, cancel := context.WithCancel(t.Context())
		var ended atomic.Bool
		calls := 0
		watched := davclient.WithInterim(ctx, func(davclient.Interim) {
			if ended.Load() {
				t.Error("called after the end")
			}
			if calls++; calls == 5 {
				cancel()
			}
		})
		_, err := clientOf(t, url).Copy(watched, "/a", "/b", davclient.TransferOptions{})
		ended.Store(true)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// TestTransportOnDavd copies on a real davd with slow storage.
func TestTransportOnDavd(t *testing.T) {
	fsys := webdav.NewMemFS()
	c, _ := served(t, fsys)
	if err := c.Mkcol(t.Context(), "a b/"); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if _, err := c.Put(t.Context(), fmt.Sprintf("a%%20b/%d", i), strings.NewReader("12345"), davclient.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	slow, _ := served(t, latency.New(fsys, 8*time.Millisecond))
	var last davclient.Interim
	seen := 0
	ctx := davclient.WithInterim(t.Context(), func(i davclient.Interim) { last, seen = i, seen+1 })
	if _, err := slow.Copy(ctx, "a%20b/", "c", davclient.TransferOptions{}); err != nil {
		t.Fatal(err)
	}
	if seen < 2 || last.Status != 102 || !last.HasProgress || last.Progress.Done < 1 || last.Progress.Total != 31 || last.Progress.Bytes == 0 || len(last.StatusURI) == 0 {
		t.Errorf("after %d: %+v", seen, last)
	}
	if !strings.HasSuffix(last.Progress.String(), "/150 (bytes)") {
		t.Error(last.Progress)
	}
}
