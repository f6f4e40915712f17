package storage

import (
	"context"
	"strings"
	"sync/atomic"
)

type stagingKey struct{}

// Staging tells an [FS] under which name a tree will appear that is built under a reserved
// name. Its methods are safe for concurrent use.
type Staging struct{ names atomic.Pointer[stagedNames] }

type stagedNames struct{ stage, destination string }

// WithStaging returns a context for an operation that stages a tree, and the Staging that
// tells the FS where the tree goes.
func WithStaging(ctx context.Context) (context.Context, *Staging) {
	s := new(Staging)
	return context.WithValue(ctx, stagingKey{}, s), s
}

// Set says that the tree at the reserved name stage will become destination. It does nothing
// if s is nil.
func (s *Staging) Set(stage, destination string) {
	if s != nil {
		s.names.Store(&stagedNames{stage, destination})
	}
}

// Staged reports whether name belongs to the tree that the operation of ctx stages. If so, the
// name will be destination followed by rest, which is "" or begins with a slash. An [FS] that
// restricts access must use that logical name to decide.
func Staged(ctx context.Context, name string) (destination, rest string, staged bool) {
	s, _ := ctx.Value(stagingKey{}).(*Staging)
	if s == nil {
		return "", "", false
	}
	names := s.names.Load()
	if names == nil || !Contains(names.stage, name) {
		return "", "", false
	}
	return names.destination, strings.TrimPrefix(name, names.stage), true
}
