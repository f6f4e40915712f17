// Package auth authenticates the users of an htpasswd file with HTTP Basic
// authentication (RFC 7617).
//
// A mount sends thousands of requests, so a verified password is remembered for a
// while and not hashed for each request. It is remembered as an HMAC with a random key
// of this process. A failed attempt takes time: it is always hashed, and after some
// failures it is also delayed.
package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/davd/davd/storage"
)

// Handler passes the requests of authenticated users to Next and answers all others
// with 401. That includes OPTIONS, so that strangers learn nothing about the server.
type Handler struct {
	Next  http.Handler
	Users *Users
	// Realm is printable ASCII without quotes and backslashes.
	Realm string
	// Known, if not nil, is called with the user of a request, before Next.
	Known func(*http.Request, string)
	// Refused, if not nil, is called with the reason when credentials are refused. It is
	// not called for a request without credentials.
	Refused func(*http.Request, error)
}

type userKey struct{}

// login is the user of a request.
type login struct {
	users *Users
	name  string
	user  *user
}

// User returns the name of the user who sent r, or "" if r did not pass a Handler.
func User(r *http.Request) string { return storage.PrincipalOf(r.Context()) }

// Admitted reports whether the user who sent r could still log in with the same
// password. The answer may be up to a second old. It is true if r did not pass a Handler.
func Admitted(r *http.Request) bool {
	l, ok := r.Context().Value(userKey{}).(*login)
	return !ok || l.users.has(l.name, l.user)
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if !ok {
		h.challenge(w, "this server requires a user name and a password")
		return
	}
	who, err := h.Users.logIn(r.Context(), user, password, r.RemoteAddr)
	if err == nil {
		if h.Known != nil {
			h.Known(r, user)
		}
		ctx := context.WithValue(storage.WithPrincipal(r.Context(), user), userKey{}, &login{h.Users, user, who})
		h.Next.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	if h.Refused != nil {
		h.Refused(r, err)
	}
	wait, tooMany := errors.AsType[*tooManyError](err)
	switch {
	case tooMany:
		w.Header().Set("Retry-After", seconds(wait.retryAfter))
		http.Error(w, err.Error(), http.StatusTooManyRequests)
	case errors.Is(err, errWrong):
		h.challenge(w, err.Error())
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "503 Service Unavailable: the server could not check the password in time: try again in a moment", http.StatusServiceUnavailable)
	}
}

// challenge answers with 401 (RFC 7617 §2 and §2.1).
func (h *Handler) challenge(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", `Basic realm="`+h.Realm+`", charset="UTF-8"`)
	http.Error(w, text, http.StatusUnauthorized)
}

// seconds formats d for Retry-After (RFC 9110 §10.2.3), rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
