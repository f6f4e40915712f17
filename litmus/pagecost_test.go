package litmus

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// costRounds is how often each server gets costRequests of each kind, in turns.
const costRounds, costRequests = 21, 500

// costKinds are requests of WebDAV clients. A listing counts as ten requests.
var costKinds = []struct {
	name, method, path, body string
	header                   []string
	times                    int
}{
	{"GET 1 KiB", "GET", "/f.txt", "", nil, costRequests},
	{"PUT 1 KiB", "PUT", "/put.txt", strings.Repeat("x", 1024), nil, costRequests},
	{"PROPFIND 0", "PROPFIND", "/f.txt", "", []string{"Depth", "0"}, costRequests},
	{"PROPFIND 1 of 1,000 members", "PROPFIND", "/many/", "", []string{"Depth", "1"}, costRequests / 10},
	{"OPTIONS", "OPTIONS", "/", "", nil, costRequests},
	{"GET of a collection", "GET", "/many/", "", []string{"Accept", "*/*"}, costRequests / 10},
}

// TestPageCost compares how long WebDAV requests take with --page full, plain and off, in turns. With
// DAVD_BEFORE, the name of another davd, it takes part too. The test prints the medians of the ratios
// to --page full of the same round, which docs/speed.md has:
//
//	DAVD_PAGE_SPEED=1 TMPDIR=/dev/shm go test -run 'TestPageCost$' -v ./litmus
func TestPageCost(t *testing.T) {
	if os.Getenv("DAVD_PAGE_SPEED") == "" {
		return
	}
	type entrant struct{ name, url string }
	start := func(name string, args ...string) entrant {
		share := t.TempDir()
		writeFile(t, filepath.Join(share, "f.txt"), make([]byte, 1024))
		for i := range 1000 {
			writeFile(t, filepath.Join(share, "many", fmt.Sprintf("%d.txt", i)), nil)
		}
		return entrant{name, serve(t, append(args, "--log-level", "error", share)...).url}
	}
	entrants := []entrant{start("full", "--page", "full"), start("full again", "--page", "full"), start("plain", "--page", "plain"), start("off", "--page", "off")}
	if before := os.Getenv("DAVD_BEFORE"); before != "" {
		now := davdBinary
		davdBinary = before
		entrants = append(entrants, start("before"))
		davdBinary = now
	}
	figures := speedFigures{}
	for round := range costRounds {
		for k := range costKinds {
			times := make([]time.Duration, len(entrants))
			for i := range entrants {
				i = (i + round) % len(entrants)
				times[i] = costOf(t, k, entrants[i].url)
			}
			for i, e := range entrants[1:] {
				figures.add(fmt.Sprintf("%s, %s: time divided by that with --page full, %%", costKinds[k].name, e.name), 100*times[i+1].Seconds()/times[0].Seconds())
			}
		}
	}
	figures.print(t)
}

// costOf returns how long the requests of a kind take, on one connection.
func costOf(t *testing.T, kind int, url string) time.Duration {
	t.Helper()
	k := costKinds[kind]
	begin := time.Now()
	for range k.times {
		request, err := http.NewRequestWithContext(t.Context(), k.method, url+k.path, strings.NewReader(k.body))
		if err != nil {
			t.Fatal(err)
		}
		if k.header != nil {
			request.Header.Set(k.header[0], k.header[1])
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode >= http.StatusBadRequest && k.name != "GET of a collection" {
			t.Fatalf("%s: %s", k.name, answer.Status)
		}
	}
	return time.Since(begin)
}
