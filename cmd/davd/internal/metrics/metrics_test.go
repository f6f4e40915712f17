package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/metrics"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
)

func get(t *testing.T, handler http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w
}

// TestMetrics: everything is counted under bounded labels.
func TestMetrics(t *testing.T) {
	m := metrics.New("v1.2")
	database := filepath.Join(t.TempDir(), "state.db")
	for _, suffix := range []string{"", "-wal"} {
		if err := os.WriteFile(database+suffix, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.WatchState(database)
	m.WatchOperations(func() []operation.Operation {
		return []operation.Operation{{Method: "COPY"}, {Method: "COPY"}, {Method: "MOVE"}}
	})
	m.Request(nil, accesslog.Record{Method: "PUT", Status: 201, Share: "/docs", BytesIn: 5, BytesOut: 7, Duration: 2 * time.Millisecond, NamesUser: true, User: "ann"})
	m.Request(nil, accesslog.Record{Method: "PUT", Status: 401, NamesUser: true})
	m.Request(nil, accesslog.Record{Method: "PUT", Status: 401})
	for range 3 {
		m.Request(nil, accesslog.Record{Method: "BREW" + strings.Repeat("x", 99), Status: 501})
	}
	m.Ended(operation.Operation{Method: "COPY", Status: 201, Progress: interim.Progress{Done: 10, Bytes: 1000}})
	var before atomic.Int32
	policy := &interim.Policy{Sent: func(*http.Request, http.Header) { before.Add(1) }}
	m.WatchInterim(policy)
	r := httptest.NewRequest("COPY", "/", http.NoBody)
	r.Header.Set("User-Agent", "curl/8.1")
	policy.Sent(r, nil)
	r.Header.Set("User-Agent", "Made-Up/1")
	policy.Sent(r, nil)
	policy.Withheld(r, interim.Withheld{Rule: 3})
	fsys := m.WatchStorage(webdav.NewMemFS())
	if err := fsys.Mkdir(t.Context(), "/a", 0o777); err != nil {
		t.Error(err)
	}
	if before.Load() != 2 {
		t.Errorf("the function of before was called %d times", before.Load())
	}

	a := get(t, metrics.Handler(m, &metrics.Health{}, slog.New(slog.DiscardHandler)), "/metrics")
	for _, line := range []string{
		`davd_info{version="v1.2"} 1`,
		`davd_requests_total{method="PUT",share="/docs",status="201"} 1`,
		`davd_requests_total{method="other",share="",status="501"} 3`,
		`davd_request_body_bytes_total{share="/docs"} 5`,
		`davd_response_body_bytes_total{share="/docs"} 7`,
		`davd_request_duration_seconds_count{method="PUT"} 3`,
		`davd_logins_total{result="accepted"} 1`,
		`davd_logins_total{result="refused"} 1`,
		`davd_operations_running{method="COPY"} 2`,
		`davd_operations_running{method="DELETE"} 0`,
		`davd_operations_finished_total{method="COPY",status="201"} 1`,
		`davd_operation_members_total{method="COPY"} 10`,
		`davd_operation_bytes_total{method="COPY"} 1000`,
		`davd_interim_responses_total{client="curl"} 1`,
		`davd_interim_responses_total{client="other"} 1`,
		`davd_interim_withheld_total{client="other",rule="3"} 1`,
		`davd_storage_call_duration_seconds_count{call="mkdir"} 1`,
		`davd_state_bytes 200`,
	} {
		if !strings.Contains(a.Body.String(), "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	if t.Failed() {
		t.Log(a.Body)
	}
}

// TestReady: davd is ready if it serves and nothing that it needs fails.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h metrics.Health
		var fails atomic.Pointer[error]
		h.Need(metrics.Check{Name: "state", Run: func(context.Context) error {
			if err := fails.Load(); err != nil {
				return *err
			}
			return nil
		}})
		handler := metrics.Handler(metrics.New(""), &h, slog.New(slog.DiscardHandler))
		want := func(status int, body string) {
			t.Helper()
			if a := get(t, handler, "/readyz"); a.Code != status || strings.TrimSpace(a.Body.String()) != body {
				t.Errorf("got %d %s, want %d %s", a.Code, a.Body, status, body)
			}
		}
		if a := get(t, handler, "/healthz"); a.Code != http.StatusOK {
			t.Errorf("/healthz is %d", a.Code)
		}
		want(503, `{"ready":false,"checks":[{"name":"listeners","ok":false},{"name":"state","ok":true}]}`)
		h.SetServing(true)
		want(200, `{"ready":true,"checks":[{"name":"listeners","ok":true},{"name":"state","ok":true}]}`)
		full := errors.New("the disk is full")
		fails.Store(&full)
		want(200, `{"ready":true,"checks":[{"name":"listeners","ok":true},{"name":"state","ok":true}]}`) // for a second
		time.Sleep(time.Second)
		want(503, `{"ready":false,"checks":[{"name":"listeners","ok":true},{"name":"state","ok":false,"error":"the disk is full"}]}`)
		fails.Store(nil)
		h.SetServing(false)
		want(503, `{"ready":false,"checks":[{"name":"listeners","ok":false},{"name":"state","ok":true}]}`)
	})
}

// TestReadyHangs: a check that hangs runs once, however many ask, and each gets an answer.
func TestReadyHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h metrics.Health
		var runs atomic.Int32
		end := make(chan struct{})
		h.Need(metrics.Check{Name: "storage", Run: func(context.Context) error { runs.Add(1); <-end; return nil }})
		h.SetServing(true)
		handler := metrics.Handler(metrics.New(""), &h, slog.New(slog.DiscardHandler))
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if a := get(t, handler, "/readyz"); a.Code != http.StatusServiceUnavailable {
					t.Errorf("got %d %s", a.Code, a.Body)
				}
			})
		}
		all.Wait()
		if runs.Load() != 1 {
			t.Errorf("the check ran %d times", runs.Load())
		}
		close(end)
		synctest.Wait()
		if a := get(t, handler, "/readyz"); a.Code != http.StatusOK {
			t.Errorf("afterwards: %d %s", a.Code, a.Body)
		}
	})
}

// TestServe: Serve serves until it is stopped.
func TestServe(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	stop := metrics.Serve(s.Listener, metrics.Profiles(), slog.New(slog.DiscardHandler))
	url := "http://" + s.Listener.Addr().String() + "/debug/pprof/goroutine?debug=1"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if closing := answer.Body.Close(); err != nil || closing != nil || !strings.HasPrefix(string(body), "goroutine profile:") {
		t.Errorf("got %s, errors %v, %v", body, err, closing)
	}
	stop()
	if again, err := http.DefaultClient.Do(r.Clone(t.Context())); err == nil {
		t.Errorf("after the end: %d", again.StatusCode)
		_ = again.Body.Close()
	}
}
