package dav_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// floodSize is how many requests a flood has, and how many of them must be admitted.
// In a sweep these are the numbers for a server with default limits.
type floodSize struct {
	flood, all, one int
}

// floodWays are ways for the server to tell the flooding client from another one.
// share is how many times the limit of one client applies to the flooding client.
var floodWays = []struct {
	name            string
	proxies         dav.TrustedProxies
	flooding, other []string // header fields
	share           int
}{
	{
		name: "addresses behind a trusted proxy", proxies: dav.TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")},
		flooding: []string{"X-Forwarded-For: 203.0.113.1"}, other: []string{"X-Forwarded-For: 203.0.113.2"}, share: 1,
	},
	{
		name: "IPv6 networks behind a trusted proxy", proxies: dav.TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")},
		flooding: []string{"X-Forwarded-For: 2001:db8:0:1:%x::1"}, other: []string{"X-Forwarded-For: 2001:db8:0:2::1"}, share: 1,
	},
	{name: "an address that may be a proxy, and a user", other: []string{"X-User: ann"}, share: 3},
	{name: "two users", flooding: []string{"X-User: eve"}, other: []string{"X-User: ann"}, share: 1},
}

// floodClient is an HTTP client with many connections.
func floodClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{
		MaxIdleConnsPerHost: 4000,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Minute}).DialContext,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask sends a request of a flood. Each number comes from another address of one
// network.
func (s *share) ask(client *http.Client, number int, method, target, body string, fields ...string) (status int, header http.Header) {
	request, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+target, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if strings.Contains(value, "%x") {
			value = fmt.Sprintf(value, number&0xffff)
		}
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header
}

// TestFloodLocks: one client can't take all locks, and its locks expire.
//
// With default limits, one address gets 2,500 of 10,000 locks, or 7,500 if it may be a
// proxy. The other requests get a 503 with Retry-After. Another client gets its lock
// with its first request.
func TestFloodLocks(t *testing.T) {
	size := sweep.Size(floodSize{100, 80, 20}, floodSize{10_000, 10_000, 2500})
	for _, way := range floodWays {
		if strings.HasPrefix(way.name, "two users") {
			continue // Options limit the locks of a user
		}
		t.Run(way.name, func(t *testing.T) {
			locks := newSystem(t, lock.Options{MaxPerPrincipal: size.all})
			h := &dav.Handler{
				LockSystem: locks, Principal: byHeader, TrustedProxies: way.proxies,
				Limits: dav.Limits{LocksOf: size.one},
			}
			s := serveMem(t, h, layout{})
			client := floodClient(t)
			granted := 0
			var token string
			for i := range size.flood {
				status, header := s.ask(client, i, "LOCK", fmt.Sprint("/", i), lockBody, way.flooding...)
				switch {
				case status == 201:
					granted++
					token = header.Get("Lock-Token")
				case status != 503 || header.Get("Retry-After") == "":
					t.Fatalf("LOCK %d is %d %v", i, status, header)
				}
			}
			if granted != size.one*way.share {
				t.Errorf("one client got %d locks, want %d", granted, size.one*way.share)
			}
			if status, _ := s.ask(client, 0, "LOCK", "/other", lockBody, way.other...); status != 201 {
				t.Errorf("another client's LOCK is %d", status)
			}
			if status, _ := s.ask(client, 0, "UNLOCK", fmt.Sprint("/", granted-1), "", append([]string{"Lock-Token: " + token}, way.flooding...)...); status != 204 {
				t.Errorf("UNLOCK is %d", status)
			}
			if status, _ := s.ask(client, 0, "LOCK", "/again", lockBody, way.flooding...); status != 201 {
				t.Errorf("LOCK after an UNLOCK is %d", status)
			}
		})
	}
}

// TestFloodCopies: one client can't take all operations. Its requests beyond the limit
// are refused immediately, and another client's requests are carried out meanwhile.
//
// With default limits, one address gets 256 of 1,024 operations, or 768 if it may be a
// proxy.
func TestFloodCopies(t *testing.T) {
	size := sweep.Size(floodSize{70, 80, 20}, floodSize{2000, 1024, 256})
	for _, way := range floodWays {
		t.Run(way.name, func(t *testing.T) {
			h := &dav.Handler{
				Principal: byHeader, TrustedProxies: way.proxies,
				Limits: dav.Limits{Operations: size.all, OperationsOf: size.one},
			}
			s := serveMem(t, h, layout{"/src": "content", "/dst/": ""})
			let := make(chan struct{})
			var open sync.Once
			defer open.Do(func() { close(let) })
			s.before = func(op, name string) error {
				if op == "rename" && strings.HasPrefix(name, "/dst/.davd-") {
					<-let
				}
				return nil
			}
			client := floodClient(t)
			var copied, refused, wrong atomic.Int64
			var running sync.WaitGroup
			for i := range size.flood {
				running.Go(func() {
					fields := append([]string{fmt.Sprintf("Destination: /dst/%d", i)}, way.flooding...)
					switch status, header := s.ask(client, i, "COPY", "/src", "", fields...); {
					case status == 201:
						copied.Add(1)
					case status == 503 && header.Get("Retry-After") != "":
						refused.Add(1)
					default:
						wrong.Add(1)
					}
				})
			}
			want := int64(size.one * way.share)
			for until := time.Now().Add(2 * time.Minute); refused.Load()+wrong.Load() < int64(size.flood)-want && time.Now().Before(until); {
				time.Sleep(time.Millisecond)
			}
			for i, method := range []string{"COPY", "MOVE", "DELETE"} {
				source := []string{"/src", "/copied", "/moved"}[i]
				fields := append([]string{"Destination: " + []string{"/copied", "/moved", ""}[i]}, way.other...)
				if status, _ := s.ask(client, 0, method, source, "", fields...); status/100 != 2 {
					t.Errorf("another client's %s is %d", method, status)
				}
			}
			open.Do(func() { close(let) })
			running.Wait()
			if copied.Load() != want || wrong.Load() != 0 {
				t.Errorf("%d were carried out, want %d; %d refused, %d neither", copied.Load(), want, refused.Load(), wrong.Load())
			}
			if status, _ := s.ask(client, 0, "DELETE", "/dst", "", way.flooding...); status != 204 {
				t.Errorf("afterwards DELETE is %d", status)
			}
		})
	}
}

// TestFloodStreams: one client can't take all event streams. Beyond the limit, a
// request that wants to wait for the end gets its answer immediately.
func TestFloodStreams(t *testing.T) {
	h := &dav.Handler{Principal: byHeader, Limits: dav.Limits{Streams: 8, StreamsOf: 2}, Interim: interim.Policy{Mode: interim.Always}}
	g := newGate(plant(t))
	h.FileSystem = g
	s := &share{TB: t, h: h, server: newServer(t, h)}
	g.close()
	location := s.wants(202, "COPY", "/src", "Destination: /dst", "Prefer: respond-async, wait=0").header.Get("Location")
	defer g.open()
	follow := func(user string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+location, http.NoBody)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Accept", "text/event-stream")
		request.Header.Set("X-User", user)
		return s.server.Client().Do(request)
	}
	var streams []*http.Response
	for i, want := range []int{200, 200, 200, 200, 200, 200, 503} { // loopback gets three times two
		response, err := follow("")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != want || want == 503 && response.Header.Get("Retry-After") == "" {
			t.Errorf("stream %d is %d, want %d", i, response.StatusCode, want)
		}
		streams = append(streams, response)
	}
	other, err := follow("ann")
	if err != nil || other.StatusCode != http.StatusOK {
		t.Fatalf("another client's is %v, %v", other, err)
	}
	defer other.Body.Close()
	s.wants(200, "GET", location, "Prefer: processing")
	for _, stream := range streams {
		stream.Body.Close()
	}
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		again, err := follow("")
		if err != nil {
			t.Fatal(err)
		}
		again.Body.Close()
		if again.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("after the others have ended it is %d", again.StatusCode)
		}
	}
}

// TestFloodListings: one address can't take all listings of whole trees.
func TestFloodListings(t *testing.T) {
	for _, way := range floodWays {
		t.Run(way.name, func(t *testing.T) {
			fsys := hanging{FileSystem: collections(t, 1, 1), entered: make(chan struct{}, 100), letGo: make(chan struct{})}
			h := &dav.Handler{
				FileSystem: fsys, Principal: byHeader, TrustedProxies: way.proxies,
				Listings: dav.Listings{Most: 8, MostOf: 2},
			}
			s := &share{TB: t, h: h, server: newServer(t, h)}
			client := floodClient(t)
			var running sync.WaitGroup
			for i := range 2 * way.share {
				running.Go(func() {
					if status, _ := s.ask(client, i, "PROPFIND", "/", "", append([]string{"Depth: infinity"}, way.flooding...)...); status != 207 {
						t.Errorf("listing %d is %d", i, status)
					}
				})
				<-fsys.entered
			}
			if status, header := s.ask(client, 0, "PROPFIND", "/", "", append([]string{"Depth: infinity"}, way.flooding...)...); status != 503 || header.Get("Retry-After") == "" {
				t.Errorf("one more is %d %v", status, header)
			}
			running.Go(func() {
				if status, _ := s.ask(client, 0, "PROPFIND", "/", "", append([]string{"Depth: infinity"}, way.other...)...); status != 207 {
					t.Errorf("another client's is %d", status)
				}
			})
			<-fsys.entered
			close(fsys.letGo)
			running.Wait()
		})
	}
}
