// Package auth authenticates users with HTTP Basic authentication (RFC 7617). A [Verifier]
// knows the users: those of an htpasswd file ([File]), those of a program's configuration
// ([Users]), several of these ([Chain]), or any other source.
//
// A mount sends thousands of requests, so a verified password is remembered for a
// while and not checked for each request. It is remembered as an HMAC with a random key
// of this process, and forgotten when the Verifier says that the user is no longer valid.
// A failed attempt takes time: it is always checked, and after some failures it is also
// delayed. Neither the answer nor its time reveals which names exist.
package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

// Handler passes the requests of authenticated users to Next and answers all others
// with 401. That includes OPTIONS, so that strangers learn nothing about the server.
//
// In the context of a request to Next, storage.LoginOf returns the user. A Handler must not be
// copied.
type Handler struct {
	Next     http.Handler
	Verifier Verifier
	// Realm is printable ASCII without quotes and backslashes.
	Realm string
	// Anonymous, if not nil, reports whether Next accepts r without credentials. A request
	// with wrong credentials is always refused.
	Anonymous func(r *http.Request) bool
	// Groups, if not nil, returns groups of a user in addition to those that the Verifier
	// knows. It is called for each request.
	Groups func(name string) []string
	// Unauthorized, if not nil, writes an answer with the status 401 and a reason, whose other
	// headers are set. By default the answer is a text.
	Unauthorized func(w http.ResponseWriter, r *http.Request, reason string)
	// Known, if not nil, is called with the user of a request, before Next.
	Known func(*http.Request, string)
	// Refused, if not nil, is called with the reason when credentials are refused. It is
	// a [LoginError] if that is the client's fault. Refused is not called for a request
	// without credentials.
	Refused func(*http.Request, error)

	once  sync.Once
	state *logins
}

type loginKey struct{}

// login is the login of a request.
type login struct {
	verifier Verifier
	id       *Identity
}

// User returns the name of the user who sent r, or "" for a client without a name, and if r
// did not pass a Handler.
func User(r *http.Request) string { return storage.PrincipalOf(r.Context()) }

// Admitted reports whether the user who sent r could still log in with the same
// password. The answer may be up to a second old. It is true if r did not pass a Handler.
func Admitted(r *http.Request) bool {
	l, ok := r.Context().Value(loginKey{}).(login)
	return !ok || l.verifier.Valid(l.id)
}

func (h *Handler) logins() *logins {
	h.once.Do(func() { h.state = newLogins() })
	return h.state
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id := asserted(r); id != nil {
		h.serve(w, r, id, nil)
		return
	}
	if h.Anonymous != nil && len(r.Header["Authorization"]) == 0 && h.Anonymous(r) {
		h.Next.ServeHTTP(w, r)
		return
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		h.Challenge(w, r)
		return
	}
	id, err := h.logins().logIn(r.Context(), h.Verifier, user, password, r.RemoteAddr)
	if err != nil {
		h.refuse(w, r, user, err)
		return
	}
	h.serve(w, r, id, h.Verifier)
}

// serve passes r to Next, as a request of the user id. v is nil if no password was verified.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, id *Identity, v Verifier) {
	if h.Known != nil {
		h.Known(r, id.Name)
	}
	if id.ReadOnly && !safe(r.Method) {
		http.Error(w, "403 Forbidden: this password only allows reading: use another one to change something", http.StatusForbidden)
		return
	}
	user := storage.Login{Principal: id.Name, Groups: id.Groups}
	if h.Groups != nil {
		if more := h.Groups(id.Name); len(more) > 0 {
			user.Groups = slices.Concat(user.Groups, more)
		}
	}
	if id.ReadOnly {
		user.Withheld = storage.RightsWrite &^ storage.RightsRead
	}
	ctx := storage.WithLogin(r.Context(), user)
	if v != nil {
		ctx = context.WithValue(ctx, loginKey{}, login{v, id})
	}
	h.Next.ServeHTTP(w, r.WithContext(ctx))
}

// safe reports whether a method changes nothing (RFC 9110 §9.2.1, RFC 4918 §9.1).
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH":
		return true
	}
	return false
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, user string, err error) {
	wait, tooMany := errors.AsType[*tooManyError](err)
	wrong := errors.Is(err, ErrWrong)
	if tooMany || wrong {
		err = &LoginError{Name: user, Err: err}
	}
	if h.Refused != nil {
		h.Refused(r, err)
	}
	switch {
	case tooMany:
		w.Header().Set("Retry-After", seconds(wait.retryAfter))
		http.Error(w, err.Error(), http.StatusTooManyRequests)
	case wrong:
		h.challenge(w, r, err.Error())
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "503 Service Unavailable: the server could not check the password in time: try again in a moment", http.StatusServiceUnavailable)
	}
}

// Challenge answers r with 401 and asks for a user name and a password. Next can call it for
// a client without a name that may not do what it wants.
func (h *Handler) Challenge(w http.ResponseWriter, r *http.Request) {
	h.challenge(w, r, "this server requires a user name and a password")
}

// challenge answers with 401 (RFC 7617 §2 and §2.1).
func (h *Handler) challenge(w http.ResponseWriter, r *http.Request, text string) {
	w.Header().Set("WWW-Authenticate", `Basic realm="`+h.Realm+`", charset="UTF-8"`)
	if h.Unauthorized != nil {
		h.Unauthorized(w, r, text)
		return
	}
	http.Error(w, text, http.StatusUnauthorized)
}

// seconds formats d for Retry-After (RFC 9110 §10.2.3), rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
