package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

func TestHandler(t *testing.T) {
	for _, tt := range []struct {
		name          string
		method        string
		authorization string // "" means no such header
		status        int
		user          string
		refused       bool
	}{
		{"RFC 7617 §2: right", http.MethodGet, "Basic YW5uOnJpZ2h0", http.StatusOK, "ann", false},
		{"RFC 9110 §11.1: the scheme's case", http.MethodGet, "bAsIc YW5uOnJpZ2h0", http.StatusOK, "ann", false},
		{"RFC 7617 §2: a colon in the password", http.MethodGet, "Basic em/DqzphOmI=", http.StatusOK, "zoë", false},
		{"RFC 7617 §2: wrong", http.MethodGet, "Basic YW5uOndyb25n", http.StatusUnauthorized, "", true},
		{"RFC 7617 §2: no colon", http.MethodGet, "Basic YW5u", http.StatusUnauthorized, "", false},
		{"not base64", http.MethodGet, "Basic ???", http.StatusUnauthorized, "", false},
		{"another scheme", http.MethodGet, "Bearer YW5uOnJpZ2h0", http.StatusUnauthorized, "", false},
		{"none", "PROPFIND", "", http.StatusUnauthorized, "", false},
		{"none, OPTIONS", http.MethodOptions, "", http.StatusUnauthorized, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var user, known string
			var refused error
			h := &Handler{
				Verifier: NewUsers(ofAccounts(map[string]passfile.Account{"ann": account("a", &slow{password: "right"}), "zoë": account("z", &slow{password: "a:b"})})),
				Realm:    "files",
				Known:    func(_ *http.Request, u string) { known = u },
				Refused:  func(_ *http.Request, err error) { refused = err },
				Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					user = User(r)
				}),
			}
			r := httptest.NewRequest(tt.method, "/x", http.NoBody)
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || user != tt.user || known != tt.user || (refused != nil) != tt.refused {
				t.Errorf("got %d, user %q, known %q, refused %v", w.Code, user, known, refused)
			}
			challenge := ""
			if tt.status == http.StatusUnauthorized {
				challenge = `Basic realm="files", charset="UTF-8"`
			}
			if got := w.Header().Get("WWW-Authenticate"); got != challenge {
				t.Errorf("challenged by %s", got)
			}
			if strings.Contains(w.Body.String(), "wrong\"") {
				t.Error(w.Body)
			}
		})
	}
}

func TestHandlerTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := usersOf(map[string]passfile.Account{"ann": account("a", &slow{password: "right"})}).handler(nil)
		var delayed atomic.Int32
		h.Refused = func(_ *http.Request, err error) {
			if refusal, ok := errors.AsType[*LoginError](err); !ok || refusal.Name != "ann" {
				t.Errorf("refused: %#v", err)
			} else if !errors.Is(err, ErrWrong) {
				delayed.Add(1)
			}
		}
		request := func(password string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.SetBasicAuth("ann", password)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		for range 10 {
			request("wrong")
		}
		const line = 4 // 8 s each
		answers := make(chan *httptest.ResponseRecorder, line)
		for _, password := range []string{"a", "b", "c", "d"} {
			go func() { answers <- request(password) }()
		}
		w := <-answers
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "32" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("got %d %v", w.Code, w.Header())
		}
		for range line - 1 {
			if w := <-answers; w.Code != http.StatusUnauthorized {
				t.Errorf("got %d", w.Code)
			}
		}
		if delayed.Load() != 1 {
			t.Errorf("%d refusals are about the delay", delayed.Load())
		}
	})
}

func TestHandlerRequestEnds(t *testing.T) {
	var refused error
	h := usersOf(map[string]passfile.Account{"ann": account("a", &slow{password: "right"})}).handler(nil)
	h.Refused = func(_ *http.Request, err error) { refused = err }
	busy(h.logins().gate.listed)
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.SetBasicAuth("ann", "right")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || refused == nil || errors.Is(refused, ErrWrong) {
		t.Errorf("got %d %v, refused %v", w.Code, w.Header(), refused)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Second: "1", 1001 * time.Millisecond: "2", time.Nanosecond: "1"} {
		if got := seconds(d); got != want {
			t.Errorf("%v is %s s, want %s", d, got, want)
		}
	}
}

func TestUserOutside(t *testing.T) {
	if user := User(httptest.NewRequest(http.MethodGet, "/", http.NoBody)); user != "" {
		t.Errorf("got %q", user)
	}
}

func BenchmarkHandler(b *testing.B) {
	h := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right"})}).
		handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.SetBasicAuth("ann", "right")
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
