package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
)

// The tree: collections of files of 4 KiB.
const (
	collections = 100
	files       = 100
	fileSize    = 4 << 10
)

// peer is a server with a tree of its own.
type peer struct {
	name   string
	server *httptest.Server
	times  []time.Duration
}

// peers starts davd and x/net's handler, each with the tree in /src.
func peers(b *testing.B) []*peer {
	b.Helper()
	davdDir, xnetDir := tree(b), tree(b)
	fsys, err := local.Open(davdDir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { fsys.Close() })
	davd := httptest.NewServer(&dav.Handler{FileSystem: fsys})
	xnet := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(xnetDir), LockSystem: webdav.NewMemLS()})
	b.Cleanup(davd.Close)
	b.Cleanup(xnet.Close)
	return []*peer{{name: "davd", server: davd}, {name: "xnet", server: xnet}}
}

func tree(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	content := make([]byte, fileSize)
	for c := range collections {
		collection := filepath.Join(dir, "src", strconv.Itoa(c))
		if err := os.MkdirAll(collection, 0o755); err != nil {
			b.Fatal(err)
		}
		for f := range files {
			if err := os.WriteFile(filepath.Join(collection, fmt.Sprintf("%d.txt", f)), content, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dir
}

// work is one thing to be done. before and after are not timed.
type work struct {
	before, timed, after []call
}

// call is a request, made times times (0: once).
type call struct {
	method, path, destination, depth, body string
	times                                  int
}

const (
	named   = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>`
	allprop = `<propfind xmlns="DAV:"><allprop/></propfind>`
)

var works = map[string]work{
	"COPY 10,000 files": {
		timed: []call{{method: "COPY", path: "/src", destination: "/dst"}},
		after: []call{{method: "DELETE", path: "/dst"}},
	},
	"MOVE 10,000 files": {
		timed: []call{{method: "MOVE", path: "/src", destination: "/dst"}},
		after: []call{{method: "MOVE", path: "/dst", destination: "/src"}},
	},
	"DELETE 10,000 files": {
		before: []call{{method: "COPY", path: "/src", destination: "/dst"}},
		timed:  []call{{method: "DELETE", path: "/dst"}},
	},
	"PROPFIND infinity of 10,000 files, named":   {timed: []call{{method: "PROPFIND", path: "/src", depth: "infinity", body: named}}},
	"PROPFIND infinity of 10,000 files, allprop": {timed: []call{{method: "PROPFIND", path: "/src", depth: "infinity", body: allprop}}},
	"PROPFIND 1 of 100 files, a hundred times":   {timed: []call{{method: "PROPFIND", path: "/src/7", depth: "1", body: named, times: 100}}},
	"PROPFIND 0 of a file, a thousand times":     {timed: []call{{method: "PROPFIND", path: "/src/7/7.txt", depth: "0", body: named, times: 1000}}},
	"GET 4 KiB, a thousand times":                {timed: []call{{method: "GET", path: "/src/7/7.txt", times: 1000}}},
}

// BenchmarkPeers reports for each work davd's median in milliseconds and its
// ratio to the peer's.
func BenchmarkPeers(b *testing.B) {
	all := peers(b)
	for _, name := range sortedNames() {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for _, p := range all {
				p.times = nil
			}
			for i := 0; b.Loop(); i++ {
				for j := range all {
					p := all[(i+j)%len(all)]
					p.do(b, works[name].before)
					start := time.Now()
					p.do(b, works[name].timed)
					p.times = append(p.times, time.Since(start))
					p.do(b, works[name].after)
				}
			}
			own := all[0].median()
			b.ReportMetric(own.Seconds()*1000, "davd-ms")
			for _, p := range all[1:] {
				b.ReportMetric(own.Seconds()/p.median().Seconds(), "davd/"+p.name)
			}
		})
	}
}

func sortedNames() []string {
	var names []string
	for name := range works {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *peer) median() time.Duration {
	slices.Sort(p.times)
	return p.times[len(p.times)/2]
}

func (p *peer) do(b *testing.B, calls []call) {
	b.Helper()
	for _, c := range calls {
		for range max(c.times, 1) {
			p.call(b, c)
		}
	}
}

func (p *peer) call(b *testing.B, c call) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), c.method, p.server.URL+c.path, strings.NewReader(c.body))
	if err != nil {
		b.Fatal(err)
	}
	for name, value := range map[string]string{"Destination": c.destination, "Depth": c.depth} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	response, err := p.server.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		b.Fatal(err)
	}
	if response.StatusCode >= 300 {
		b.Fatalf("%s: %s %s: %s", p.name, c.method, c.path, response.Status)
	}
}
