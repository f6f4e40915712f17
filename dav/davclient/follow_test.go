package davclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/storage/latency"
)

// goesOn is a server whose operations take longer than a request.
type goesOn struct {
	// answer answers the COPY, MOVE or DELETE.
	answer http.HandlerFunc
	// looks are the answers to a GET of /s/1 in turn; the last one repeats. A number
	// is a status, "cut" breaks the connection, and any other string is a document.
	looks []string
	// listed is the path of the list of operations; list is its content.
	listed, list string

	mu   sync.Mutex
	seen []string
}

func (g *goesOn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen = append(g.seen, r.Method+" "+r.URL.Path+" "+strings.Join(r.Header["Prefer"], "; "))
	look := ""
	if r.Method == http.MethodGet && r.URL.Path == "/s/1" {
		look = g.looks[0]
		if len(g.looks) > 1 {
			g.looks = g.looks[1:]
		}
	}
	g.mu.Unlock()
	switch {
	case r.Method != http.MethodGet:
		g.answer(w, r)
	case r.URL.Path == g.listed:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, g.list)
	case look == "":
		w.WriteHeader(http.StatusNotFound)
	case look == "cut":
		panic(http.ErrAbortHandler)
	case len(look) == 3:
		status := 0
		_, _ = fmt.Sscan(look, &status)
		w.WriteHeader(status)
	case look == "text":
		_, _ = io.WriteString(w, look)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, look)
	}
}

// accepts answers 202 with a Location.
func accepts(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

func answers(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }
}

// tellsAndBreaks sends one interim response and breaks the connection.
func tellsAndBreaks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "/s/1")
	w.WriteHeader(http.StatusProcessing)
	panic(http.ErrAbortHandler)
}

const (
	runningDocument = `{"state":"running","source":"/a","ended":null,"status":null,` +
		`"progress":{"done":2,"total":5,"totalFinal":true,"bytes":10,"totalBytes":null,"current":"/a/b%20c"}}`
	doneDocument = `{"state":"finished","ended":"2026-11-21T00:00:00Z","status":201}`
)

// ended returns the document of an operation that has ended.
func ended(rest string) string { return `{"ended":"2026-11-21T00:00:00Z",` + rest + `}` }

// listOf returns a list with one operation.
func listOf(method, source, destination string, began time.Time) string {
	return fmt.Sprintf(`{"operations":[{"method":%q,"source":%q,"destination":%q,"started":%q,"links":{"self":"/s/1"}}]}`,
		method, source, destination, began.UTC().Format(time.RFC3339Nano))
}

// TestFollow follows operations that outlast their request or whose answer is lost.
func TestFollow(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name    string
		server  *goesOn
		method  string // "": COPY
		created bool
		err     string // part of the error's text; "" for success
		status  int    // the status of the *Error; 0 if the error is of another type
		members int
		open    string // Location of the *UnfinishedError, "?" for none; "" for another error or success
	}{
		{name: "RFC 7240 §4.1: answered in time", server: &goesOn{answer: answers(201, "")}, created: true},
		{name: "RFC 9110 §15.3.3: accepted", server: &goesOn{answer: accepts("/s/1"), looks: []string{runningDocument, doneDocument}}, created: true},
		{name: "replaced", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"finished","status":204`)}}},
		{name: "a Location on another host is taken as a path on this server", server: &goesOn{answer: accepts("http://inside.test:1/s/1"), looks: []string{doneDocument}}, created: true},
		{name: "polls that fail", server: &goesOn{answer: accepts("/s/1"), looks: []string{"503", "cut", "429", "504", doneDocument}}, created: true},
		{name: "RFC 4918 §9.8.8: failed", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"finished","status":507,"reason":"disk full"`)}}, err: "507 Insufficient Storage: disk full", status: 507},
		{name: "RFC 4918 §9.8.3: members failed", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"finished","status":207,"failures":[{"href":"/a/b","status":403}],"failuresTotal":3`)}}, err: "3 members failed, the first is 403 Forbidden /a/b", status: 207, members: 1},
		{name: "stopped", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"stopped","status":403,"reason":"stopped on request","failures":[{"href":"/a/b","status":403}],"failuresTotal":1`)}}, err: "403 Forbidden: stopped on request", status: 403},
		{name: "killed and undone", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"interrupted","status":null,"recovery":"undone","reason":"it was rolled back"`)}}, err: "it was rolled back"},
		{name: "killed and finished", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"interrupted","status":null,"recovery":"finished","reason":"it was finished"`)}}},
		{name: "a DELETE that was killed", method: "DELETE", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"interrupted","status":null,"recovery":"finished","reason":"what it had removed is gone"`)}}, err: "what it had removed is gone"},
		{name: "an unknown outcome", server: &goesOn{answer: accepts("/s/1"), looks: []string{ended(`"state":"finished","status":null`)}}, err: "outcome of the operation is unknown"},
		{name: "accepted without a Location", server: &goesOn{answer: accepts("")}, err: "the server named no status document", status: 202, open: "?"},
		{name: "a malformed Location", server: &goesOn{answer: accepts("http://%zz/")}, err: "malformed", open: "?"},
		{name: "a Location without a document", server: &goesOn{answer: accepts("/none")}, err: "can't read the operation's status document: GET", status: 404, open: "?"},
		{name: "a Location with a text", server: &goesOn{answer: accepts("/s/1"), looks: []string{"text"}}, err: "not a status document", open: "?"},
		{name: "a Location with an empty object", server: &goesOn{answer: accepts("/s/1"), looks: []string{"{}"}}, err: "not a status document", open: "?"},

		{name: "a proxy gives up and the list has the operation", server: &goesOn{answer: answers(504, ""), listed: "/.davd-operations/", list: listOf("COPY", "/a", "/b", now), looks: []string{runningDocument, doneDocument}}, created: true},
		{name: "the list of a share below the host's root", server: &goesOn{answer: answers(502, ""), listed: "/d/.davd-operations/", list: listOf("COPY", "/d/a/", "/d/b", now), looks: []string{doneDocument}}, created: true},
		{name: "a content delivery network gives up", server: &goesOn{answer: answers(524, ""), listed: "/.davd-operations/", list: listOf("COPY", "/a", "/b", now), looks: []string{doneDocument}}, created: true},
		{name: "the list has an older operation", server: &goesOn{answer: answers(504, ""), listed: "/.davd-operations/", list: listOf("COPY", "/a", "/b", now.Add(-time.Hour))}, err: "504", status: 504, open: "?"},
		{name: "the list has another destination", server: &goesOn{answer: answers(504, ""), listed: "/.davd-operations/", list: listOf("COPY", "/a", "/c", now)}, err: "504", status: 504, open: "?"},
		{name: "the list has another method", server: &goesOn{answer: answers(504, ""), listed: "/.davd-operations/", list: listOf("MOVE", "/a", "/b", now)}, err: "504", status: 504, open: "?"},
		{name: "no list", server: &goesOn{answer: answers(504, "")}, err: "504", status: 504, open: "?"},
		{name: "a 503 from the server itself", server: &goesOn{answer: answers(503, "too many")}, err: "503 Service Unavailable: too many", status: 503},
		{name: "RFC 4918 §9.8.5: a 502 from the server itself", server: &goesOn{answer: answers(502, "the header Destination names another server")}, err: "names another server", status: 502},
		{name: "refused", server: &goesOn{answer: answers(423, "locked")}, err: "423 Locked: locked", status: 423},
		{name: "the connection breaks", server: &goesOn{answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, err: "EOF", open: "?"},
		{name: "the connection breaks after a 102 with a Location", server: &goesOn{answer: tellsAndBreaks, looks: []string{doneDocument}}, created: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.server)
			t.Cleanup(server.Close)
			client := clientOf(t, server.URL)
			var created bool
			var err error
			ctx := davclient.WithFollow(t.Context(), davclient.Follow{})
			switch {
			case c.method == "DELETE":
				err = client.Delete(ctx, "/a")
			case strings.HasPrefix(c.server.listed, "/d/"):
				created, err = client.Copy(ctx, "/d/a", "/d/b", davclient.TransferOptions{})
			default:
				created, err = client.Copy(ctx, "/a", "/b", davclient.TransferOptions{})
			}
			if created != c.created || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, %v", created, err)
			}
			wrong, ok := errors.AsType[*davclient.Error](err)
			if ok != (c.status != 0) || ok && (wrong.Status != c.status || len(wrong.Members) != c.members) {
				t.Errorf("%+v", wrong)
			}
			unfinished, open := errors.AsType[*davclient.UnfinishedError](err)
			if open != (c.open != "") || open && unfinished.Location != strings.Trim(c.open, "?") {
				t.Errorf("unfinished: %+v", unfinished)
			}
			sent := 0
			for _, line := range c.server.seen {
				method, rest, _ := strings.Cut(line, " ")
				if method == http.MethodGet {
					continue
				}
				if sent++; !strings.HasSuffix(rest, " respond-async, wait=1") {
					t.Errorf("the client sent %q", line)
				}
			}
			if sent != 1 {
				t.Errorf("%d requests: %q", sent, c.server.seen)
			}
		})
	}
}

// TestFollowEnds cancels the context: the client has reported the progress, and the
// error names the status document.
func TestFollowEnds(t *testing.T) {
	server := httptest.NewServer(&goesOn{answer: accepts("s/1"), looks: []string{runningDocument}})
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var told davclient.Progress
	follow := davclient.Follow{Wait: 3 * time.Second, Progress: func(p davclient.Progress) {
		told = p
		cancel()
	}}
	err := clientOf(t, server.URL).Delete(davclient.WithFollow(ctx, follow), "/a")
	unfinished, ok := errors.AsType[*davclient.UnfinishedError](err)
	if !ok || unfinished.Location != server.URL+"/s/1" || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	want := davclient.Progress{Done: 2, Total: 5, Bytes: 10, TotalBytes: davclient.Unknown, Member: "b%20c", Final: true}
	if told != want {
		t.Errorf("%+v", told)
	}
}

// TestFollowNotSent checks that a request that never reached a server does not
// count as unfinished.
func TestFollowNotSent(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	client := clientOf(t, server.URL)
	server.Close()
	err := client.Delete(davclient.WithFollow(t.Context(), davclient.Follow{}), "/a")
	if _, unfinished := errors.AsType[*davclient.UnfinishedError](err); err == nil || unfinished {
		t.Errorf("%v", err)
	}
	if err := client.Delete(davclient.WithFollow(t.Context(), davclient.Follow{}), "http://other.test/"); !errors.Is(err, davclient.ErrOtherServer) {
		t.Errorf("%v", err)
	}
}

// TestFollowOnDavd follows a copy on a real davd whose storage is so slow that it
// answers 202.
func TestFollowOnDavd(t *testing.T) {
	t.Parallel()
	fsys := webdav.NewMemFS()
	c, _ := served(t, fsys)
	if err := c.Mkcol(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := c.Put(t.Context(), fmt.Sprintf("/a/%d", i), strings.NewReader("12345"), davclient.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	slow, _ := served(t, latency.New(fsys, 100*time.Millisecond))
	looks := 0
	var last davclient.Progress
	ctx := davclient.WithFollow(t.Context(), davclient.Follow{Progress: func(p davclient.Progress) { looks, last = looks+1, p }})
	created, err := slow.Copy(ctx, "/a", "/b", davclient.TransferOptions{})
	if !created || err != nil || looks == 0 || last.Total > 3 {
		t.Errorf("%v %v, after %d looks %+v", created, err, looks, last)
	}
	for _, name := range []string{"/b/0", "/b/1"} {
		if _, err := c.Stat(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
}
