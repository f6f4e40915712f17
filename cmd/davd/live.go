package main

import (
	"net/http"
	"sync/atomic"
)

// live is an http.Handler that can be replaced while it serves. Requests that are under way end
// with the handler that they began with.
type live struct{ current atomic.Pointer[http.Handler] }

func (l *live) set(h http.Handler) { l.current.Store(&h) }

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*l.current.Load()).ServeHTTP(w, r) }
