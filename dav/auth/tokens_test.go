package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tokens"
)

// withTokens returns the users ann and bob, who may have application passwords. add adds one.
func withTokens(t *testing.T) (v *Tokens, users *Users, add func(tokens.Token) string) {
	t.Helper()
	k, err := tokens.New(t.Context(), tokens.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	users, _ = counted("right", "ann", "bob")
	return &Tokens{Verifier: users, Keyring: k}, users, func(token tokens.Token) string {
		password, _, err := k.Add(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return password
	}
}

// TestTokens checks who gets in with which password, and that each one ends at once.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, users, add := withTokens(t)
		phone := add(tokens.Token{User: "ann", Name: "phone"})
		short := add(tokens.Token{User: "ann", Name: "short", Expires: time.Now().Add(time.Minute)})
		stranger := add(tokens.Token{User: "eve", Name: "phone"})
		d := &door{newLogins(), v}
		want := func(name, password string, want error) {
			t.Helper()
			if err := d.check(t.Context(), name, password, remote); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		want("ann", "right", nil)
		want("ann", phone, nil)
		want("ann", short, nil)
		want("bob", phone, ErrWrong)
		want("eve", stranger, ErrWrong) // no user
		want("ann", phone+"x", ErrWrong)

		time.Sleep(time.Minute)
		want("ann", short, ErrWrong)
		want("ann", phone, nil)
		id, err := d.logIn(t.Context(), v, "ann", phone, remote)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Keyring.Revoke(t.Context(), "ann", "phone"); err != nil {
			t.Fatal(err)
		}
		if v.Valid(id) {
			t.Error("a revoked token is valid")
		}
		want("ann", phone, ErrWrong)
		want("ann", "right", nil)

		phone = add(tokens.Token{User: "ann", Name: "phone"})
		want("ann", phone, nil)
		users.Set(nil)
		want("ann", phone, ErrWrong)
		want("ann", "right", ErrWrong)
	})
}

// TestTokenOfDirectory checks tokens of users that another server knows.
func TestTokenOfDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _, add := withTokens(t)
		remoteUsers := &directory{passwords: map[string]string{"eve": "right"}}
		v.Verifier = remoteUsers
		phone := add(tokens.Token{User: "eve", Name: "phone", ReadOnly: true})
		id, err := v.Verify(t.Context(), "eve", phone)
		if err != nil || !id.ReadOnly || id.Groups[0] != "staff" || id.Name != "eve" || !v.Valid(id) {
			t.Errorf("got %+v, error %v", id, err)
		}
		id, err = v.Verify(t.Context(), "eve", "right")
		if err != nil || id.ReadOnly || !v.Valid(id) {
			t.Errorf("got %+v, error %v", id, err)
		}
		if v.Probe("eve") != Remote {
			t.Errorf("probed: %v", v.Probe("eve"))
		}
	})
}

// TestUsedToken checks that the last use is recorded, even if the password is remembered.
func TestUsedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _, add := withTokens(t)
		phone := add(tokens.Token{User: "ann", Name: "phone"})
		d := &door{newLogins(), v}
		for range 20 {
			if err := d.check(t.Context(), "ann", phone, remote); err != nil {
				t.Fatal(err)
			}
			if used := v.Keyring.List("ann")[0].Used; time.Since(used) > time.Hour+rememberFor {
				t.Errorf("used %v ago", time.Since(used))
			}
			time.Sleep(9 * time.Minute)
		}
	})
}

// TestHandlerReadOnly checks that a read-only login changes nothing.
func TestHandlerReadOnly(t *testing.T) {
	v, _, add := withTokens(t)
	only := add(tokens.Token{User: "ann", Name: "only", ReadOnly: true})
	full := add(tokens.Token{User: "ann", Name: "full"})
	server := httptest.NewServer(&Handler{Verifier: v, Next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	t.Cleanup(server.Close)
	for _, method := range []string{
		"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH",
		"PUT", "PATCH", "POST", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPPATCH", "ACL", "X-UNKNOWN", "get",
	} {
		for password, readOnly := range map[string]bool{only: true, full: false, "right": false} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("ann", password)
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			want := http.StatusOK
			if readOnly && !safe(method) {
				want = http.StatusForbidden
			}
			if response.StatusCode != want {
				t.Errorf("%s: %d, want %d", method, response.StatusCode, want)
			}
		}
	}
	for method, want := range map[string]bool{"GET": true, "PROPFIND": true, "LOCK": false, "POST": false, "COPY": false} {
		if safe(method) != want {
			t.Errorf("%s is safe: %v", method, !want)
		}
	}
}

// TestAdmitted checks that a request that follows an operation notices that its user is
// removed, or that the password is revoked or expires.
func TestAdmitted(t *testing.T) {
	for name, end := range map[string]func(v *Tokens, users *Users) error{
		"removed": func(_ *Tokens, users *Users) error { users.Set(nil); return nil },
		"revoked": func(v *Tokens, _ *Users) error { _, err := v.Keyring.Revoke(t.Context(), "ann", "phone"); return err },
		"expired": func(*Tokens, *Users) error { time.Sleep(time.Hour); return nil },
		"another hash": func(_ *Tokens, users *Users) error {
			users.Set(ofAccounts(map[string]passfile.Account{"ann": account("other", &slow{})}))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, users, add := withTokens(t)
				phone := add(tokens.Token{User: "ann", Name: "phone", Expires: time.Now().Add(time.Minute)})
				h := &Handler{Verifier: v, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if !Admitted(r) || User(r) != "ann" {
						t.Errorf("admitted %v, user %q", Admitted(r), User(r))
					}
					if err := end(v, users); err != nil {
						t.Error(err)
					}
					if Admitted(r) {
						t.Error("still admitted")
					}
				})}
				r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
				r.SetBasicAuth("ann", phone)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					t.Errorf("got %d", w.Code)
				}
				again := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
				again.SetBasicAuth("ann", "wrong")
				if w := httptest.NewRecorder(); true {
					h.ServeHTTP(w, again)
					if w.Code != http.StatusUnauthorized {
						t.Errorf("got %d", w.Code)
					}
				}
			})
		})
	}
}

// TestHandlerAnonymous checks who reaches a public share.
func TestHandlerAnonymous(t *testing.T) {
	users, _ := counted("right", "ann")
	var got string
	h := &Handler{
		Verifier:  users,
		Anonymous: func(r *http.Request) bool { return r.URL.Path == "/public" },
		Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = "as " + storage.PrincipalOf(r.Context())
			if !Admitted(r) {
				t.Error("not admitted")
			}
		}),
	}
	for _, tt := range []struct {
		path, authorization, want string
		status                    int
	}{
		{"/public", "", "as ", 200},
		{"/", "", "", 401},
		{"/public", "Basic YW5uOnJpZ2h0", "as ann", 200},
		{"/public", "Basic YW5uOndyb25n", "", 401},
		{"/public", "Basic YW5u", "", 401},
		{"/public", "Bearer x", "", 401},
	} {
		got = ""
		r := httptest.NewRequest(http.MethodGet, tt.path, http.NoBody)
		if tt.authorization != "" {
			r.Header.Set("Authorization", tt.authorization)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || got != tt.want {
			t.Errorf("%+v: got %d, %q", tt, w.Code, got)
		}
	}
}

// TestHandlerGroups checks that Next knows the groups of all sources.
func TestHandlerGroups(t *testing.T) {
	users := NewUsers(map[string]Account{"ann": {Account: account("h", &slow{password: "right"}), Groups: []string{"family"}}})
	for _, more := range [][]string{nil, {"board"}} {
		var got []string
		h := &Handler{
			Verifier: users,
			Groups:   func(string) []string { return more },
			Next:     http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = storage.GroupsOf(r.Context()) }),
		}
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.SetBasicAuth("ann", "right")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if len(got) != 1+len(more) || got[0] != "family" {
			t.Errorf("groups %v", got)
		}
	}
}

// BenchmarkAllSources sends requests of a user of the last of several sources.
func BenchmarkAllSources(b *testing.B) {
	var files []Verifier
	for _, name := range []string{"bob", "eve", "ann"} {
		path := filepath.Join(b.TempDir(), name)
		if err := os.WriteFile(path, []byte(name+":{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ="), 0o600); err != nil {
			b.Fatal(err)
		}
		file, err := OpenFile(path, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, file)
	}
	k, err := tokens.New(b.Context(), tokens.NewMem())
	if err != nil {
		b.Fatal(err)
	}
	token, _, err := k.Add(b.Context(), tokens.Token{User: "ann", Name: "phone"})
	if err != nil {
		b.Fatal(err)
	}
	for name, password := range map[string]string{"password": "right", "token": token} {
		b.Run(name, func(b *testing.B) {
			h := &Handler{
				Next:     http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
				Verifier: &Tokens{Verifier: NewChain(append([]Verifier{NewUsers(nil)}, files...)...), Keyring: k},
			}
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.SetBasicAuth("ann", password)
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
			if w.Code != http.StatusOK {
				b.Errorf("got %d", w.Code)
			}
		})
	}
}

// unsearchable is a directory whose users can't be found at the moment.
type unsearchable struct {
	directory
	err error
}

func (u *unsearchable) Find(context.Context, string) (*Identity, error) { return nil, u.err }

// TestTokenWhileDown checks that an application password is not tried as the password of the user
// if the user can't be found at the moment: a directory would count that as a failed login.
func TestTokenWhileDown(t *testing.T) {
	v, _, add := withTokens(t)
	phone := add(tokens.Token{User: "ann", Name: "phone"})
	down := &unsearchable{err: errors.New("down")}
	v.Verifier = down
	if _, err := v.Verify(t.Context(), "ann", phone); !errors.Is(err, down.err) || down.calls.Load() != 0 {
		t.Errorf("error %v, asked about the password %d times", err, down.calls.Load())
	}
}
