package rates

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestRate checks that a client gets its burst and then its rate, and delays no other client.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		h := &Handler{
			Next:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
			Client: func(r *http.Request) string { return r.Header.Get("Client") },
			Rate:   5, Refused: func(*http.Request, error) { refused++ },
		}
		send := func(client string) *http.Response {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Client", client)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Result()
		}
		served := func(client string, n int) (served int) {
			for range n {
				if send(client).StatusCode == http.StatusNoContent {
					served++
				}
			}
			return served
		}
		if got := served("ann", 100); got != 50 || refused != 50 {
			t.Errorf("%d of 100 were served and %d refused", got, refused)
		}
		if answer := send("ann"); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" {
			t.Errorf("%d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
		}
		if got := served("bob", 10) + served("", 100); got != 110 {
			t.Errorf("%d of 110 of others were served", got)
		}
		time.Sleep(2 * time.Second)
		if got := served("ann", 100); got != 10 {
			t.Errorf("%d were served after two seconds, want 10", got)
		}
		for i := range 3 * maxClients {
			send(strconv.Itoa(i))
		}
		if len(h.of) > maxClients {
			t.Errorf("%d clients are known", len(h.of))
		}
	})
}
