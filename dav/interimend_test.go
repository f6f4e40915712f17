package dav_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
)

// TestInterimRule6Deadline: each interim response extends the server's WriteTimeout,
// which is 10 s here.
func TestInterimRule6Deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := virtually(t, &dav.Handler{}, plant(t), 70*time.Second, copySrc(safe))
		if len(got.interims) != 3 || got.status != 201 {
			t.Errorf("%d interim responses, then %d", len(got.interims), got.status)
		}
	})
}

// TestInterimRule6ClientGone: a failed connection ends the interim responses, but not
// the operation.
func TestInterimRule6ClientGone(t *testing.T) {
	for name, age := range map[string]time.Duration{
		"before the first": 10 * time.Second,
		"after two":        50 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := plant(t)
				g := newGate(fsys)
				g.close()
				ended := make(chan error, 1)
				h := &dav.Handler{FileSystem: g, Logger: func(_ *http.Request, err error) { ended <- err }}
				withheld := noting(h)
				server, client := pipeServer(t, h)
				go io.WriteString(client, copySrc(safe).text("HTTP/1.1")) //nolint:errcheck // the gate shows it
				<-g.waiting
				time.AfterFunc(age, func() { client.Close() })
				answer, _ := io.ReadAll(client) // ends with io.ErrClosedPipe
				sent := strings.Count(string(answer), "HTTP/1.1 102 ")
				time.Sleep(time.Minute)
				g.open()
				if err := <-ended; err != nil {
					t.Errorf("the operation ended with %v", err)
				}
				if !exists(t, fsys, "/dst/c/b.txt") {
					t.Error("the operation did not finish")
				}
				if err := server.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				checkWithheld(t, outcome{withheld: withheld()}, 6, sent)
				if want := int(age / (20 * time.Second)); sent != want {
					t.Errorf("%d interim responses, want %d", sent, want)
				}
			})
		})
	}
}

// TestInterimRule7: none is sent once the final response has begun. For a long listing,
// that happens in the middle of the operation.
func TestInterimRule7(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := storagetest.Tree{"/src": "/"}
		for i := range 40 {
			tree[fmt.Sprintf("/src/c%d", i)] = "/"
			for j := range 40 {
				tree[fmt.Sprintf("/src/c%d/%s%d", i, strings.Repeat("n", 100), j)] = "x"
			}
		}
		fsys := webdav.NewMemFS()
		storagetest.WriteTree(t, fsys, tree)
		h := &dav.Handler{
			FileSystem: latency.New(fsys, 10*time.Second),
			Interim:    interim.Policy{After: time.Second, Every: time.Second},
		}
		withheld := noting(h)
		server, client := pipeServer(t, h)
		go io.WriteString(client, wireRequest{method: "PROPFIND", target: "/src", fields: []string{"Depth: infinity", safe}}.text("HTTP/1.1")) //nolint:errcheck // shows in the answer
		answer, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		before, after, found := strings.Cut(string(answer), "HTTP/1.1 207 ")
		if !found || !strings.Contains(after, "multistatus>") {
			t.Fatalf("no final response in %.1000q", answer)
		}
		if strings.Contains(after, " 102 ") {
			t.Error("an interim response after the final one")
		}
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		sent := strings.Count(before, "HTTP/1.1 102 ")
		if sent == 0 {
			t.Error("none before it")
		}
		checkWithheld(t, outcome{withheld: withheld()}, 7, sent)
	})
}

// TestInterimRule7Order: nothing is sent after the final response, with any method and
// any number of interim responses before it.
func TestInterimRule7Order(t *testing.T) {
	for _, request := range []wireRequest{
		copySrc(asks),
		{method: "MOVE", target: "/src", fields: []string{toDst, asks}},
		{method: "DELETE", target: "/src", fields: []string{asks}},
		{method: "PROPFIND", target: "/src", fields: []string{"Depth: infinity", asks}},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2", "h2c"} {
			t.Run(request.method+" "+protocol, func(t *testing.T) {
				h := &dav.Handler{
					FileSystem: latency.New(plant(t), time.Millisecond),
					Interim:    interim.Policy{After: -1, Every: 100 * time.Microsecond},
				}
				got := over(t, protocol, h, request)
				if len(got.interims) == 0 || got.status/100 != 2 || strings.Contains(got.rest, "Processing") {
					t.Errorf("%d interim responses, then %d with %q", len(got.interims), got.status, got.rest)
				}
			})
		}
	}
}
