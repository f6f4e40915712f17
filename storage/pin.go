package storage

import "context"

// Pinner is an [FS] whose names may come to stand for another storage while it is used, for
// example after its configuration has changed.
type Pinner interface {
	FS

	// Pin keeps names and storage together. See the function [Pin].
	Pin(ctx context.Context) (pinned context.Context, release func())
}

// Pin returns a context for an operation of many calls. With it, each name stands for the same
// storage as at the first call, or fails with [ErrUnavailable]. So an operation that has copied a
// tree never removes one of the same name from another disk. The caller must call release at the
// end. Without a [Pinner] it returns ctx.
func Pin(ctx context.Context, fsys FS) (pinned context.Context, release func()) {
	if p, ok := fsys.(Pinner); ok {
		return p.Pin(ctx)
	}
	return ctx, func() {}
}
