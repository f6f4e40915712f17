package dav_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// benchMembers is how many files the benchmarks' tree has.
const benchMembers = 10_000

// BenchmarkInterimCost measures the cost of interim responses. It runs a COPY and a
// PROPFIND of 10,000 members, with an interim response every 20 ms (a thousand times
// more than by default) and without any. Each iteration runs both in alternating order.
// The metric on/off is the ratio of the medians, so run it with -benchtime of at least
// ten iterations.
func BenchmarkInterimCost(b *testing.B) {
	for _, method := range []string{"COPY", "PROPFIND"} {
		b.Run(method, func(b *testing.B) {
			fsys := benchTree(b)
			off := benchServer(b, fsys, interim.Policy{Mode: interim.Never})
			on := benchServer(b, fsys, interim.Policy{Mode: interim.Always, After: -1, Every: 20 * time.Millisecond})
			var times [2][]time.Duration
			for i := 0; b.Loop(); i++ {
				for j := range 2 {
					which := (i + j) % 2
					server := []*httptest.Server{off, on}[which]
					times[which] = append(times[which], request(b, server, method, "/src"))
					if method == "COPY" {
						request(b, server, "DELETE", "/copy")
					}
				}
			}
			b.ReportMetric(float64(median(times[1]))/float64(median(times[0])), "on/off")
			b.ReportMetric(float64(median(times[0]).Microseconds())/1000, "off-ms")
		})
	}
}

// BenchmarkSmallFiles measures GET and PUT of 1 KiB, and PROPFIND of a file, with 16
// clients. It compares davd with x/net's handler on the same directory and with an
// empty handler. In each iteration, each of them serves a thousand requests, in varying
// order. The metrics davd/xnet and davd/empty are ratios of the medians. Allocations
// are those of all three and of the client.
func BenchmarkSmallFiles(b *testing.B) {
	const clients, each = 16, 64
	for _, method := range []string{"GET", "PUT", "PROPFIND"} {
		b.Run(method, func(b *testing.B) {
			fsys, dir := openLocal(b)
			write(b, fsys, "/file", strings.Repeat("x", 1024))
			ours := benchServer(b, fsys, interim.Policy{})
			theirs := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()})
			b.Cleanup(theirs.Close)
			empty := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			b.Cleanup(empty.Close)
			servers := []*httptest.Server{ours, theirs, empty}
			conns := make([][]*connection, len(servers))
			for i, server := range servers {
				for range clients {
					connection := (&share{TB: b, server: server}).dial()
					if err := connection.conn.SetDeadline(time.Time{}); err != nil {
						b.Fatal(err)
					}
					conns[i] = append(conns[i], connection)
				}
			}
			times := make([][]time.Duration, len(servers))
			for i := 0; b.Loop(); i++ {
				for j := range servers {
					which := (i + j) % len(servers)
					start := time.Now()
					var running sync.WaitGroup
					for client, conn := range conns[which] {
						running.Go(func() { conn.small(method, client, each) })
					}
					running.Wait()
					times[which] = append(times[which], time.Since(start))
				}
			}
			b.ReportMetric(float64(median(times[0]))/float64(median(times[1])), "davd/xnet")
			b.ReportMetric(float64(median(times[0]))/float64(median(times[2])), "davd/empty")
			b.ReportMetric(clients*each/median(times[0]).Seconds(), "davd-req/s")
		})
	}
}

// small requests a file of 1 KiB, or a client's own file, with as little work as
// possible.
func (c *connection) small(method string, client, requests int) {
	target, content := "/file", ""
	switch method {
	case http.MethodPut:
		target, content = fmt.Sprintf("/file%d", client), strings.Repeat("y", 1024)
	case "PROPFIND":
		content = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>`
	}
	request := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: x\r\nDepth: 0\r\nContent-Length: %d\r\n\r\n%s", method, target, len(content), content)
	for range requests {
		if _, err := c.conn.Write(request); err != nil {
			c.Error(err)
			return
		}
		if err := c.skipResponse(); err != nil {
			c.Error(err)
			return
		}
	}
}

// skipResponse reads a response, which must be a success with a Content-Length.
func (c *connection) skipResponse() error {
	head, err := readHead(c.in)
	if err != nil || !strings.HasPrefix(head, "HTTP/1.1 2") {
		return errors.Join(err, errors.New(head))
	}
	_, after, found := strings.Cut(head, "\r\nContent-Length: ")
	if !found {
		return nil
	}
	digits, _, _ := strings.Cut(after, "\r\n")
	length, err := strconv.Atoi(digits)
	if err == nil {
		_, err = c.in.Discard(length)
	}
	return err
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// benchTree makes /src with a hundred collections of a hundred small files.
func benchTree(b *testing.B) storage.FS {
	b.Helper()
	fsys, err := local.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { fsys.Close() })
	content := strings.Repeat("x", 1024)
	for i := range benchMembers {
		if i == 0 {
			err = fsys.Mkdir(b.Context(), "/src", 0o755)
		} else if err == nil && i%100 == 1 {
			err = fsys.Mkdir(b.Context(), fmt.Sprintf("/src/%d", i/100), 0o755)
		}
		if err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			write(b, fsys, fmt.Sprintf("/src/%d/%d.txt", (i-1)/100, i), content)
		}
	}
	return fsys
}

func benchServer(b *testing.B, fsys storage.FS, interim interim.Policy) *httptest.Server {
	b.Helper()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys, Interim: interim})
	b.Cleanup(server.Close)
	return server
}

// request returns how long a request took.
func request(b *testing.B, server *httptest.Server, method, path string) time.Duration {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, server.URL+path, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Destination", "/copy")
	start := time.Now()
	response, err := server.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		b.Fatal(err)
	}
	if response.StatusCode >= 300 {
		b.Fatal(response.Status)
	}
	return time.Since(start)
}
