package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// TestReloads reads valid and invalid configurations while clients with a hundred connections read,
// write, list, copy and move. No request may fail, no operation may be lost, and nothing may leak.
func TestReloads(t *testing.T) {
	reloads := sweep.Size(60, 1000)
	r := family(t)
	const head = familyHead
	valid := []string{
		head + familyFile,
		head + strings.Replace(familyFile, "bob: read", "bob: write", 1),
		head + "log-level: error\ninterim: never\n" + familyFile,
		head + "operations-at-once: 500\nstall-timeout: 1m\n" + strings.Replace(familyFile, "create: true", "create: true\n    quota: 1GiB", 1),
		head + familyFile + "  /more:\n    mem: true\n",
		head + strings.Replace(familyFile, "users:\n", "users:\n  carol: {password: HASH(carol)}\n", 1),
	}
	invalid := []string{
		head + strings.Replace(familyFile, "bob: read", "bobb: read", 1),
		head + strings.Replace(familyFile, "    dir: DIR/photos", "    dir: DIR/none", 1),
		head + familyFile + "  /photos:\n    mem: true\n",
		"{",
	}
	random := sweep.Random(t)
	load := startLoad(t, r)
	for i := range reloads {
		if i%3 == 2 {
			r.write("davd.yaml", invalid[random.IntN(len(invalid))])
			if _, err := r.reload(t.Context()); err == nil {
				t.Error("an invalid file was accepted")
			}
			continue
		}
		r.write("davd.yaml", valid[random.IntN(len(valid))])
		if _, err := r.reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	load.end()
	t.Logf("%d requests during %d reloads", load.requests.Load(), reloads)
	if running := r.handler.Operations(); len(running) > 0 {
		t.Errorf("still running: %v", running)
	}
	for _, name := range reservedBelow(t, r.dir) {
		if !strings.Contains(name, "/state/") {
			t.Errorf("%s is left", name)
		}
	}
}

// reservedBelow returns the reserved names below dir.
func reservedBelow(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(name), ".davd-") {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// load are clients that send requests until end is called.
type load struct {
	requests atomic.Int64
	end      func()
}

// connections is the number of clients.
const connections = 100

func startLoad(t *testing.T, r *running) *load {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport) //nolint:forcetypeassert // documented
	transport.MaxIdleConnsPerHost = connections
	l := &load{}
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for i := range connections {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					l.round(t, r, i, n)
				}
			}
		})
	}
	l.end = func() {
		close(stop)
		clients.Wait()
	}
	return l
}

// round sends the requests of client i, each of which must succeed.
func (l *load) round(t *testing.T, r *running, i, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	own := fmt.Sprintf("/home/ann/%d", i)
	steps := []struct {
		method, path, destination string
		want                      int
	}{
		{method: "PUT", path: own, want: http.StatusCreated},
		{method: "GET", path: "/photos/a.jpg", want: http.StatusOK},
		{method: "PROPFIND", path: "/", want: http.StatusMultiStatus},
		{method: "COPY", path: "/photos/2024/", destination: own + "-copy", want: http.StatusCreated},
		{method: "MOVE", path: own + "-copy", destination: own + "-moved", want: http.StatusCreated},
		{method: "DELETE", path: own + "-moved/", want: http.StatusNoContent},
		{method: "DELETE", path: own, want: http.StatusNoContent},
	}
	for _, step := range steps {
		fields := []string{"Depth: infinity"}
		if step.method == "PROPFIND" {
			fields[0] = "Depth: 1" // fewer listings of whole trees may run at a time
		}
		if step.destination != "" {
			fields = append(fields, "Destination: URL"+step.destination)
		}
		body := ""
		if step.method == http.MethodPut {
			body = "content"
		}
		status, content, err := r.try(ctx, "ann", step.method, step.path, body, fields...)
		if err != nil || status != step.want {
			t.Errorf("client %d, round %d: %s %s: %d, want %d, error %v: %.200s", i, n, step.method, step.path, status, step.want, err, content)
		}
		l.requests.Add(1)
	}
}
