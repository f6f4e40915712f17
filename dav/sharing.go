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
)

// common is what Handlers that share a LockSystem have in common: they exclude one
// another from what one of them is changing, as if they were one Handler. x/net's
// Handlers do so by a lock that each request takes.
type common struct {
	claims  claims
	created createdFiles
	// probing keeps requests from seeing the locks with which others probe a plain
	// LockSystem.
	probing sync.Mutex
}

// sharedParts are the parts of the state that Handlers of this process use, so that it is
// noticed when several use the same one. An entry lives as long as one of them.
type sharedParts struct {
	mu    sync.Mutex
	parts map[any]weak.Pointer[sharedPart]
	// warned: that different files share a part was logged.
	warned bool
}

// sharedPart is one LockSystem, Properties or Journal.
type sharedPart struct {
	common common
	// files is the FileSystem of the first Handler, if those can be compared.
	files   webdav.FileSystem
	tenants bool
}

var parts sharedParts

// isComparable reports whether v can be compared and can be the key of a map.
func isComparable(v any) bool { return v != nil && reflect.ValueOf(v).Comparable() }

// join returns the part for h, which uses it from now on. differ reports that another
// Handler uses it for other files, and neither says by a Tenant which ones.
func (s *sharedParts) join(part any, h *Handler) (joined *sharedPart, differ bool) {
	if !isComparable(part) {
		return &sharedPart{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if joined = s.parts[part].Value(); joined == nil {
		joined = &sharedPart{tenants: h.Tenant != nil}
		if isComparable(h.FileSystem) {
			joined.files = h.FileSystem
		}
		if s.parts == nil {
			s.parts = make(map[any]weak.Pointer[sharedPart])
		}
		s.parts[part] = weak.Make(joined)
		runtime.AddCleanup(joined, s.leave, part)
		return joined, false
	}
	differ = joined.files != nil && isComparable(h.FileSystem) && joined.files != h.FileSystem
	differ = differ && (!joined.tenants || h.Tenant == nil) && !s.warned
	s.warned = s.warned || differ
	return joined, differ
}

// leave forgets a part that no Handler uses any more.
func (s *sharedParts) leave(part any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[part].Value() == nil {
		delete(s.parts, part)
	}
}

// sharing is what one Handler knows of its sharing. It is ready after the first call of
// Handler.shared.
type sharing struct {
	once sync.Once
	// used are kept alive.
	used   []*sharedPart
	common *common
}

// shared returns what h has in common with the Handlers that share its LockSystem.
func (h *Handler) shared() *common {
	s := &h.sharing
	s.once.Do(func() {
		for _, part := range []any{h.LockSystem, h.Properties, h.Journal} {
			if part == nil {
				continue
			}
			joined, differ := parts.join(part, h)
			s.used = append(s.used, joined)
			if differ {
				warnShared()
			}
		}
		if s.common = new(common); h.LockSystem != nil {
			s.common = &s.used[0].common
		}
	})
	return s.common
}

func warnShared() {
	slog.Default().WarnContext(context.Background(), "dav: Handlers with different FileSystems share a LockSystem, Properties or a Journal: "+
		"the locks and properties of one apply to the names of the other, and its users see them. "+
		"Set Handler.Tenant to what tells the trees apart, or give each Handler a state of its own. This is logged once.")
}

// brief detects Handlers that live for one request only. What they keep in memory, nobody
// ever sees again.
type brief struct {
	// born are the Handlers that have served a request, grown those that have served
	// two.
	born, grown atomic.Int64
	warned      atomic.Bool
}

// briefMany is how many Handlers must have served a single request before it is
// believed that this is all they ever serve. A program that has one Handler for each user
// has users whose client sends more than one request.
const briefMany = 64

var briefs brief

// age counts the requests of one Handler, up to two.
type age struct{ requests atomic.Int32 }

// note is called for each request of h.
func (b *brief) note(h *Handler) {
	if h.age.requests.Load() >= 2 {
		return
	}
	switch h.age.requests.Add(1) {
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
	if lost := h.inHandler(); lost != "" && b.warned.CompareAndSwap(false, true) {
		slog.Default().WarnContext(context.Background(), "dav: each request has a Handler of its own, and with it end "+lost+
			" that are kept in memory, and identical requests can't be joined. Make one Handler, and keep it. This is logged once.",
			"handlers", born)
	}
}

// inHandler says what ends with h.
func (h *Handler) inHandler() string {
	switch {
	case h.LockSystem == nil:
		return "the locks, dead properties and status documents"
	case h.Properties == nil:
		return "the dead properties and status documents"
	case h.History == nil:
		return "the status documents"
	}
	return ""
}
