package dav_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/aferofs"
)

// propfindInfinity lists a whole share, and returns the answer and its body.
func propfindInfinity(t *testing.T, url, depth string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "PROPFIND", url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Depth", depth)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func collections(t *testing.T, number, files int) webdav.FileSystem {
	t.Helper()
	mem := afero.NewMemMapFs()
	for i := range number {
		for j := range files {
			if err := afero.WriteFile(mem, fmt.Sprintf("/c%02d/f%02d", i, j), []byte("content"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return aferofs.New(mem)
}

// The answer names the collections that a listing leaves out (RFC 4918 §13): every
// collection is either listed completely or refused.
func TestListingsInfinity(t *testing.T) {
	const number, files = 20, 5
	tests := []struct {
		name     string
		infinity int
		depth    string
		status   int
		least    int // collections that are listed
		most     int
	}{
		{"any number", 0, "infinity", 207, number, number},
		{"as many as exist", number + number*files, "infinity", 207, number, number},
		{"some", number + 10*files, "infinity", 207, 10, 10},
		{"one", 1, "infinity", 207, 0, 0},
		{"RFC 4918 §9.1: none", dav.NoInfinity, "infinity", 403, 0, 0},
		{"RFC 4918 §9.1: none, Depth 1", dav.NoInfinity, "1", 207, 0, 0},
		{"one, Depth 1", 1, "1", 207, number, number},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(&dav.Handler{FileSystem: collections(t, number, files), Listings: dav.Listings{Infinity: tt.infinity}})
			defer server.Close()
			resp, body := propfindInfinity(t, server.URL+"/", tt.depth)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d:\n%s", resp.StatusCode, tt.status, body)
			}
			if tt.status == 403 {
				if !strings.Contains(body, "propfind-finite-depth") {
					t.Errorf("the condition is missing:\n%s", body)
				}
				return
			}
			listed := 0
			for i := range number {
				collection := fmt.Sprintf("<D:href>/c%02d/</D:href>", i)
				refused := collection + "<D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
				if strings.Count(body, collection) != 1 {
					t.Errorf("%s is there %d times", collection, strings.Count(body, collection))
				}
				members := strings.Count(body, fmt.Sprintf("<D:href>/c%02d/f", i))
				switch whole := !strings.Contains(body, refused); {
				case tt.depth == "1":
				case whole && members == files:
					listed++
				case whole || members > 0:
					t.Errorf("collection %d: refused %t, with %d members", i, !whole, members)
				}
			}
			if tt.depth == "infinity" && (listed < tt.least || listed > tt.most) {
				t.Errorf("%d collections are listed, want %d to %d", listed, tt.least, tt.most)
			}
		})
	}
}

// hanging is a tree whose root can't be listed until it is released.
type hanging struct {
	webdav.FileSystem
	entered chan struct{}
	letGo   chan struct{}
}

func (h hanging) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	select {
	case h.entered <- struct{}{}:
	default: // the listing no longer waits
	}
	<-h.letGo
	return h.FileSystem.OpenFile(ctx, name, flag, perm)
}

func TestListingsAtOnce(t *testing.T) {
	tests := []struct {
		name     string
		listings dav.Listings
		users    []string // of the listings under way, and then of the tested one
		depth    string
		status   int
	}{
		{"one too many", dav.Listings{Most: 2}, []string{"", "", ""}, "infinity", 503},
		{"as many as allowed", dav.Listings{Most: 3}, []string{"", "", ""}, "infinity", 207},
		{"one too many of a user", dav.Listings{MostOf: 1}, []string{"ann", "bob", "ann"}, "infinity", 503},
		{"of another user", dav.Listings{MostOf: 1}, []string{"ann", "bob", "eve"}, "infinity", 207},
		{"unknown users share a larger limit", dav.Listings{MostOf: 1}, []string{"", "", ""}, "infinity", 207},
		{"Depth 1", dav.Listings{Most: 2}, []string{"", "", ""}, "1", 207},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := hanging{FileSystem: collections(t, 1, 1), entered: make(chan struct{}, 10), letGo: make(chan struct{})}
			h := &dav.Handler{FileSystem: fsys, Listings: tt.listings, Principal: func(r *http.Request) string { return r.URL.Query().Get("user") }}
			server := httptest.NewServer(h)
			defer server.Close()
			last := len(tt.users) - 1
			answers := make(chan int, last)
			for _, user := range tt.users[:last] {
				go func() {
					resp, _ := propfindInfinity(t, server.URL+"/?user="+user, "infinity")
					answers <- resp.StatusCode
				}()
				<-fsys.entered
			}
			if tt.status == 207 {
				close(fsys.letGo)
			}
			resp, body := propfindInfinity(t, server.URL+"/?user="+tt.users[last], tt.depth)
			if resp.StatusCode != tt.status || tt.status == 503 && resp.Header.Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q, want %d:\n%s", resp.StatusCode, resp.Header.Get("Retry-After"), tt.status, body)
			}
			if tt.status != 207 {
				close(fsys.letGo)
			}
			for range last {
				if status := <-answers; status != 207 {
					t.Errorf("status %d of one that was under way", status)
				}
			}
			// Each listing has released its place.
			for range 3 {
				if resp, body := propfindInfinity(t, server.URL+"/?user=ann", "infinity"); resp.StatusCode != http.StatusMultiStatus {
					t.Errorf("status %d afterwards:\n%s", resp.StatusCode, body)
				}
			}
		})
	}
}
