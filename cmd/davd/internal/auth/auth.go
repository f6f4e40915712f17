// Package auth lets in whom an htpasswd file names, by HTTP Basic
// authentication (RFC 7617).
//
// A verified password is remembered for a while, not as it is but under a key
// that this process alone has, so that a mount with its thousands of requests
// does not hash for each. What fails costs time: the hashing, always, and after
// some failures a delay.
package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Handler serves with Next what an authenticated user requests, and answers 401
// to everything else: to OPTIONS too, so that nobody learns what is here.
type Handler struct {
	Next  http.Handler
	Users *Users
	// Realm is printable ASCII without quotes and backslashes.
	Realm string
	// Known, if not nil, is called with the user of a request before Next is.
	Known func(*http.Request, string)
	// Refused, if not nil, is called with the reason when credentials are
	// refused, not when there are none.
	Refused func(*http.Request, error)
}

// userKey is the context's key of a *login.
type userKey struct{}

// login is the user of a request.
type login struct {
	users *Users
	name  string
	user  *user
}

// User returns the name of the user who sent r, "" outside of a Handler.
func User(r *http.Request) string {
	if l, ok := r.Context().Value(userKey{}).(*login); ok {
		return l.name
	}
	return ""
}

// Admitted reports whether the user who sent r could still log in with the same
// password. The answer may be as old as a second. Outside of a Handler it is true.
func Admitted(r *http.Request) bool {
	l, ok := r.Context().Value(userKey{}).(*login)
	return !ok || l.users.has(l.name, l.user)
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if !ok {
		h.challenge(w, "davd wants a user name and a password")
		return
	}
	who, err := h.Users.logIn(r.Context(), user, password, r.RemoteAddr)
	if err == nil {
		if h.Known != nil {
			h.Known(r, user)
		}
		h.Next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, &login{h.Users, user, who})))
		return
	}
	if h.Refused != nil {
		h.Refused(r, err)
	}
	if wait, ok := errors.AsType[*tooManyError](err); ok {
		w.Header().Set("Retry-After", seconds(wait.retryAfter))
		http.Error(w, err.Error(), http.StatusTooManyRequests)
		return
	}
	if !errors.Is(err, errWrong) {
		http.Error(w, "the password could not be checked in time", http.StatusServiceUnavailable)
		return
	}
	h.challenge(w, err.Error())
}

// challenge answers 401 (RFC 7617 §2 and §2.1).
func (h *Handler) challenge(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", `Basic realm="`+h.Realm+`", charset="UTF-8"`)
	http.Error(w, text, http.StatusUnauthorized)
}

// seconds is d as Retry-After has it (RFC 9110 §10.2.3), rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
