package dav_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http/httputil"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// askFour asks for the properties that most clients request.
const askFour = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>`

// BenchmarkListing compares a PROPFIND over a connection, whose client ignores the
// answer, with the least possible work: a walk with getdents and statx in one thread.
// Each iteration runs all of them in turn. The ratios are of the medians.
func BenchmarkListing(b *testing.B) {
	for _, tree := range []struct {
		name               string
		collections, files int
		depth              string
	}{
		{"tree", 100, 100, "infinity"},
		{"flat", 1, 20_000, "1"},
		{"small", 1, 100, "1"},
	} {
		b.Run(tree.name, func(b *testing.B) {
			dir := b.TempDir()
			members := plantListing(b, dir, tree.collections, tree.files)
			fsys, err := local.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer fsys.Close()
			client := dialListing(b, fsys)
			var times [3][]time.Duration
			var first []time.Duration
			for i := 0; b.Loop(); i++ {
				for j := range times {
					which := (i + j) % len(times)
					start := time.Now()
					switch which {
					case 0:
						bareListing(b, dir)
					default:
						first = append(first, client.list([]string{askFour, askAll}[which-1], tree.depth))
					}
					times[which] = append(times[which], time.Since(start))
				}
			}
			floor := median(times[0])
			b.ReportMetric(float64(floor.Microseconds())/1000, "floor-ms")
			for which, name := range []string{"", "four", "all"} {
				if which > 0 {
					b.ReportMetric(float64(median(times[which]).Microseconds())/1000, name+"-ms")
					b.ReportMetric(float64(median(times[which]))/float64(floor), name+"/floor")
				}
			}
			b.ReportMetric(float64(median(first).Microseconds())/1000, "first-byte-ms")
			b.ReportMetric(allocs(func() { client.list(askAll, tree.depth) })/float64(members), "allocs/member")
		})
	}
}

// allocs returns how many allocations all goroutines make while f runs.
func allocs(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// plantListing creates collections of files in dir. If there is only one, that is dir
// itself.
func plantListing(b *testing.B, dir string, collections, files int) (members int) {
	b.Helper()
	for c := range collections {
		in := dir
		if collections > 1 {
			in = filepath.Join(dir, fmt.Sprintf("%04d", c))
			if err := os.Mkdir(in, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		for f := range files {
			if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("file%05d.txt", f)), nil, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	return collections * files
}

// listingClient is a client with one connection.
type listingClient struct {
	b    *testing.B
	conn *connection
	in   *bufio.Reader
}

func dialListing(b *testing.B, fsys storage.FS) *listingClient {
	b.Helper()
	conn := (&share{TB: b, server: benchServer(b, fsys, interim.Policy{})}).dial()
	if err := conn.conn.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	return &listingClient{b: b, conn: conn, in: bufio.NewReaderSize(conn.conn, 64<<10)}
}

// list returns the time until the first byte arrived.
func (c *listingClient) list(body, depth string) (first time.Duration) {
	c.b.Helper()
	start := time.Now()
	fmt.Fprintf(c.conn.conn, "PROPFIND / HTTP/1.1\r\nHost: x\r\nDepth: %s\r\nContent-Length: %d\r\n\r\n%s", depth, len(body), body)
	head, err := readHead(c.in)
	first = time.Since(start)
	if err != nil || !strings.HasPrefix(head, "HTTP/1.1 207") {
		c.b.Fatalf("%v: %s", err, head)
	}
	if _, after, found := strings.Cut(head, "\r\nContent-Length: "); found {
		digits, _, _ := strings.Cut(after, "\r\n")
		length, _ := strconv.ParseInt(digits, 10, 64)
		_, err = io.CopyN(io.Discard, c.in, length)
	} else if _, err = io.Copy(io.Discard, httputil.NewChunkedReader(c.in)); err == nil {
		_, err = c.in.Discard(len("\r\n"))
	}
	if err != nil {
		c.b.Fatal(err)
	}
	return first
}

// bareListing does what a program in C would do to find the members of dir and of its
// collections.
func bareListing(b *testing.B, dir string) {
	b.Helper()
	if _, err := storagetest.BareWalk(dir); err != nil {
		b.Fatal(err)
	}
}
