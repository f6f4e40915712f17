package dav

import (
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/operation"
)

// common is the state that all Handlers with the same locks share. Through it they
// keep out of each other's changes, as if they were one Handler. x/net's Handlers do that
// with a temporary lock for each request.
type common struct {
	claims  operation.Claims
	created locktable.Created
	// probing keeps requests from seeing the locks with which others probe a plain
	// LockSystem.
	probing sync.Mutex
	// entries has the ids of the operations in the journal that are running.
	entries sync.Map
}

// sharedParts has the LockSystems and States that Handlers of this process use, so that
// Handlers can find out that they share one. An entry lives as long as a
// Handler that uses it.
type sharedParts struct {
	mu    sync.Mutex
	parts map[any]weak.Pointer[sharedPart]
	// warned means that the warning about different files was logged.
	warned bool
}

// sharedPart is one LockSystem or State.
type sharedPart struct {
	common common
	// files is the FileSystem of the first Handler, if it is comparable.
	files   webdav.FileSystem
	tenants bool
}

// process is what the Handlers of this process know about each other. It is the only
// variable of this package, because Handlers have nothing else in common.
var process struct {
	parts  sharedParts
	briefs brief
}

// isComparable reports whether v can be the key of a map.
func isComparable(v any) bool { return v != nil && reflect.ValueOf(v).Comparable() }

// join returns the entry of part, which h uses from now on. It warns once if another Handler
// uses the part for other files, unless both have a Tenant that can tell them apart.
func (s *sharedParts) join(part any, h *Handler) *sharedPart {
	if !isComparable(part) {
		return &sharedPart{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	joined := s.parts[part].Value()
	if joined == nil {
		joined = &sharedPart{tenants: h.Tenant != nil}
		if isComparable(h.FileSystem) {
			joined.files = h.FileSystem
		}
		if s.parts == nil {
			s.parts = make(map[any]weak.Pointer[sharedPart])
		}
		s.parts[part] = weak.Make(joined)
		runtime.AddCleanup(joined, s.leave, part)
		return joined
	}
	differ := joined.files != nil && isComparable(h.FileSystem) && joined.files != h.FileSystem
	if differ && (!joined.tenants || h.Tenant == nil) && !s.warned {
		s.warned = true
		slog.Default().WarnContext(context.Background(), "dav: Handlers with different FileSystems share a LockSystem or a State: "+
			"the locks and properties of one apply to the names of the other, and its users see them. "+
			"Set Handler.Tenant so that it tells the trees apart, or give each Handler its own state. This message is logged once.")
	}
	return joined
}

// leave removes the entry of a part that no Handler uses any more.
func (s *sharedParts) leave(part any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[part].Value() == nil {
		delete(s.parts, part)
	}
}

// sharing holds the shared parts of one Handler. The first call of Handler.shared
// fills it.
type sharing struct {
	once sync.Once
	// used keeps the entries alive.
	used   []*sharedPart
	common *common
}

// shared returns the state that h shares with all Handlers that have the same locks.
func (h *Handler) shared() *common {
	s := &h.kept().sharing
	s.once.Do(func() {
		locks := h.lockSystem()
		for _, part := range []any{locks, h.State} {
			if part != nil {
				s.used = append(s.used, process.parts.join(part, h))
			}
		}
		if s.common = new(common); locks != nil {
			s.common = &s.used[0].common
		}
	})
	return s.common
}

// brief detects a program that creates a new Handler for each request. Everything that
// such Handlers keep in memory is lost.
type brief struct {
	// born counts the Handlers that have served a request, grown those that have served
	// two.
	born, grown atomic.Int64
	warned      atomic.Bool
}

// briefMany is the number of Handlers with a single request before the warning. A program
// with one Handler for each user does not reach it, because clients send more than one
// request.
const briefMany = 64

// note is called for each request of h.
func (b *brief) note(h *Handler) {
	requests := &h.kept().requests
	if requests.Load() >= 2 {
		return
	}
	switch requests.Add(1) {
	case 1:
		b.born.Add(1)
	case 2:
		b.grown.Add(1)
		return
	default:
		return
	}
	born, grown := b.born.Load(), b.grown.Load()
	if born-grown < briefMany || born < 8*grown || b.warned.Load() {
		return
	}
	lost := "the dead properties and status documents"
	if h.LockSystem == nil {
		lost = "the locks, dead properties and status documents"
	}
	if h.State == nil && b.warned.CompareAndSwap(false, true) {
		slog.Default().WarnContext(context.Background(), "dav: the program creates a Handler for each request, so it loses "+lost+
			" that the Handler keeps in memory, and identical requests can't be joined. Create one Handler and keep it. This message is logged once.",
			"handlers", born)
	}
}
