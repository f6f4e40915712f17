package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tg123/go-htpasswd"
	"golang.org/x/crypto/bcrypt"

	"github.com/davd/davd/dav/auth/passfile"
)

// guessers is how many clients guess passwords.
const guessers = 300

// floods are ways to guess passwords. guess returns which user's password guesser i tries
// in attempt n, and from which address.
var floods = []struct {
	name  string
	guess func(i, n int) (user, remote string)
}{
	{"one user, through a proxy on this machine", func(int, int) (string, string) { return "ann", "127.0.0.1:1" }},
	{"one user, from everywhere", func(i, _ int) (string, string) { return "ann", fmt.Sprintf("192.0.2.%d:1", i%250) }},
	{"all users, through a proxy on this machine", func(i, n int) (string, string) { return "user" + strconv.Itoa((i+n)%20), "127.0.0.1:1" }},
	{"unknown names, through a proxy on this machine", func(i, n int) (string, string) {
		return fmt.Sprint("x", i, ".", n), "127.0.0.1:1"
	}},
	{"unknown names, from everywhere", func(i, n int) (string, string) {
		return fmt.Sprint("x", i, ".", n), fmt.Sprintf("192.0.%d.%d:1", n%250, i%250)
	}},
}

// crowded returns Users with ann, bob, zoë and twenty more. Only ann has logged in, and
// her verification has expired.
func crowded(t *testing.T, hash passfile.Account, password string) *door {
	t.Helper()
	accounts := map[string]passfile.Account{"ann": hash, "bob": hash, "zoë": hash}
	for i := range 20 {
		accounts["user"+strconv.Itoa(i)] = hash
	}
	u := usersOf(accounts)
	if err := u.check(t.Context(), "ann", password, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	u.expire(t, "ann", password)
	return u
}

// TestGuessersDelayNoUser checks how long users wait while clients guess passwords. A user
// who logged in before waits for one hash. A user who logs in for the first time waits for
// at most one hash of each other user. Neither is refused.
func TestGuessersDelayNoUser(t *testing.T) {
	for _, flood := range floods {
		t.Run(flood.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const takes = 50 * time.Millisecond
				u := crowded(t, account("hash", &slow{password: "right", takes: takes}), "right")
				ctx, stop := context.WithCancel(t.Context())
				var guessing sync.WaitGroup
				for i := range guessers {
					guessing.Go(func() {
						for n := 0; ctx.Err() == nil; n++ {
							user, remote := flood.guess(i, n)
							if err := u.check(ctx, user, fmt.Sprint("wrong", i, n), remote); err == nil {
								t.Error("a wrong password is accepted")
							}
							_ = pause(ctx, 100*time.Millisecond) // a round trip
						}
					})
				}
				for range 5 {
					time.Sleep(2 * time.Second)
					for user, most := range map[string]time.Duration{"ann": takes, "zoë": 22 * takes} {
						start := time.Now()
						if err := u.check(t.Context(), user, "right", "127.0.0.1:1"); err != nil {
							t.Errorf("%s: %v", user, err)
						}
						if took := time.Since(start); took > most {
							t.Errorf("%s waited %v, want %v at most", user, took, most)
						}
						if user == "ann" {
							u.expire(t, "ann", "right")
						} else {
							u.memory.forget(u.digests.of(user, "right"))
						}
					}
				}
				stop()
				guessing.Wait()
				if n := len(u.gate.delays.lines); n > maxOrigins {
					t.Errorf("%d origins are remembered", n)
				}
			})
		})
	}
}

// TestRefusalsTellNoNames checks that a refusal takes the same time for a listed name as
// for an unknown one, however many attempts wait.
func TestRefusalsTellNoNames(t *testing.T) {
	const takes = 50 * time.Millisecond
	for name, tt := range map[string]struct{ wait, want time.Duration }{
		"idle":       {0, takes},
		"a little":   {takes / 2, takes/2 + takes},
		"long":       {3 * time.Second, 3*time.Second + takes},
		"longer yet": {time.Hour, longestLine},
	} {
		for _, user := range []string{"ann", "nobody"} {
			t.Run(name+"/"+user, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					u := usersOf(map[string]passfile.Account{"ann": account("hash", &slow{password: "right", takes: takes})})
					if tt.wait > 0 {
						time.AfterFunc(tt.wait, busy(u.gate.refusals))
					}
					start := time.Now()
					if err := u.check(t.Context(), user, "wrong", remote); !errors.Is(err, ErrWrong) {
						t.Error(err)
					}
					if took := time.Since(start); took != tt.want {
						t.Errorf("took %v, want %v", took, tt.want)
					}
					// A guesser who disconnects does not get around the delay.
					ctx, cancel := context.WithTimeout(t.Context(), takes/2)
					defer cancel()
					_ = u.check(ctx, user, "wrong", "198.51.100.1:1")
					if tt.wait > takes {
						time.Sleep(tt.wait)
					}
					if l := u.gate.delays.lines[originOf(remote, u.digests.of(user))]; l == nil || l.failures != 1 {
						t.Errorf("counted: %+v", l)
					}
				})
			})
		}
	}
}

// TestTurns checks that names take turns, and that the attempts of a name keep their order.
func TestTurns(t *testing.T) {
	turns := newTurns(1)
	now := turns.join(digest{})
	var line []*turn
	for _, name := range []byte{1, 1, 1, 2, 3, 3} {
		line = append(line, turns.join(digest{name}))
	}
	turns.leave(line[5]) // gives up
	for i, next := range []int{0, 3, 4, 1, 2} {
		turns.leave(now)
		for j, x := range line {
			select {
			case <-x.came:
			default:
				if j == next {
					t.Fatalf("turn %d: it is not that of %d", i, next)
				}
			}
		}
		now = line[next]
	}
	turns.leave(now)
	if turns.free != 1 || len(turns.lines) != 0 || len(turns.order) != 0 {
		t.Errorf("left: %+v", turns)
	}
}

// counting counts the passwords that were hashed.
type counting struct {
	htpasswd.EncodedPasswd
	hashes *atomic.Int64
}

func (c counting) MatchesPassword(password string) bool {
	defer c.hashes.Add(1)
	return c.EncodedPasswd.MatchesPassword(password)
}

// TestFlood guesses over real connections, all from this machine, and with real hashes.
// During a login, fewer than mostHashes passwords may be hashed. If the login waited for the
// guesses before it, at least guessers/2 would be. Refusals are not counted, because on a slow
// machine many guesses are refused without a hash when they have waited for longestLine.
func TestFlood(t *testing.T) {
	const mostHashes = guessers / 4
	secret, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	accounts, damaged := passfile.Parse("users", append([]byte("ann:"), secret...))
	if damaged != nil {
		t.Fatal(damaged)
	}
	var hashes atomic.Int64
	ann := accounts["ann"]
	ann.Matcher = counting{ann.Matcher, &hashes}
	u := crowded(t, ann, "right")
	server := httptest.NewServer(u.handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	t.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: guessers}
	t.Cleanup(transport.CloseIdleConnections)
	ctx, stop := context.WithCancel(t.Context())
	request := func(ctx context.Context, user, password string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Error(err)
			return 0
		}
		r.SetBasicAuth(user, password)
		response, err := transport.RoundTrip(r)
		if err != nil {
			return 0
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	var guessing sync.WaitGroup
	for i := range guessers {
		guessing.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				user := fmt.Sprint("x", i, ".", n)
				if i%3 == 0 {
					user = []string{"ann", "bob"}[i%2]
				}
				request(ctx, user, fmt.Sprint("wrong", i, ".", n))
			}
		})
	}
	waiting := func() int {
		u.gate.refusals.mu.Lock()
		defer u.gate.refusals.mu.Unlock()
		return len(u.gate.refusals.lines[digest{}])
	}
	for begin := time.Now(); waiting() < guessers/2; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 5*time.Minute {
			t.Fatal("the guessers don't come")
		}
	}
	for _, user := range []string{"ann", "zoë"} {
		before := hashes.Load()
		status := request(t.Context(), user, "right")
		during := hashes.Load() - before
		if status != http.StatusNoContent || during > mostHashes {
			t.Errorf("%s: %d after %d hashes, want %d at most", user, status, during, mostHashes)
		}
		t.Logf("%s: %d passwords were hashed meanwhile", user, during)
	}
	stop()
	guessing.Wait()
}
