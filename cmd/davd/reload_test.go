package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
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
	load.end() // it has opened what it needs
	before := settled(t, r)
	load = startLoad(t, r)
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
	r.write("davd.yaml", head+familyFile)
	if _, err := r.reload(t.Context()); err != nil {
		t.Error(err)
	}
	before.compare(t, r)
	if running := r.handler.Operations(); len(running) > 0 {
		t.Errorf("still running: %v", running)
	}
	for _, name := range reservedBelow(t, r.dir) {
		if !strings.Contains(name, "/state/") {
			t.Errorf("%s is left", name)
		}
	}
}

// resources are what a process has in use.
type resources struct{ goroutines, files int }

// resourcesOf returns what is in use after one request, without idle connections.
func resourcesOf(t *testing.T, r *running) (found resources) {
	t.Helper()
	r.wants(http.StatusOK, "ann", "GET", "/photos/a.jpg")
	r.wants(http.StatusMultiStatus, "ann", "PROPFIND", "/home/ann/", "Depth: 0")
	http.DefaultClient.CloseIdleConnections()
	found.goroutines = runtime.NumGoroutine()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Error(err)
	}
	found.files = len(files)
	return found
}

// settled returns the least that is in use during a second.
func settled(t *testing.T, r *running) resources {
	t.Helper()
	least := resourcesOf(t, r)
	for range 10 {
		time.Sleep(100 * time.Millisecond)
		now := resourcesOf(t, r)
		least = resources{min(least.goroutines, now.goroutines), min(least.files, now.files)}
	}
	return least
}

// compare waits until no more is in use than before.
func (before resources) compare(t *testing.T, r *running) {
	t.Helper()
	var now resources
	for range 100 {
		if now = resourcesOf(t, r); now.goroutines <= before.goroutines+5 && now.files <= before.files+5 {
			t.Logf("%+v before, %+v after", before, now)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("leaks: %+v before, %+v after; %s", before, now, stacks[:runtime.Stack(stacks, true)])
}

// TestManyUsers: the directories of many users are not all open at a time.
func TestManyUsers(t *testing.T) {
	r := serveFile(t, t.TempDir(), `
trusted-proxy: 127.0.0.1
user-header: {name: X-User}
shares:
  "/home/{user}": {dir: "DIR/home/{user}", create: true, quota: 1MiB}
`)
	if err := os.Mkdir(filepath.Join(r.dir, "home"), 0o755); err != nil {
		t.Fatal(err)
	}
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(files)
	}
	before, most := open(), 0
	users := sweep.Size(1000, 10_000)
	for i := range users {
		user := fmt.Sprintf("user%d", i)
		if status, content := r.do("", "PUT", "/home/"+user+"/file", "x", "X-User: "+user); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", user, status, content)
		}
		if i%100 == 0 {
			most = max(most, open())
		}
	}
	if most > before+4*256 {
		t.Errorf("%d files are open for %d users, and %d before", most, users, before)
	}
	t.Logf("%d users: %d files open before, at most %d later", users, before, most)
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

// round sends the requests of client i. Each must succeed.
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
