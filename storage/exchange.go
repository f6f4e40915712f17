package storage

import (
	"context"
	"errors"
	"os"
)

// Exchanger is an [FS] that can swap two names in one step.
type Exchanger interface {
	FS

	// Exchange swaps what the names a and b stand for, files or collections. If the
	// backend can't swap these two, it returns errors.ErrUnsupported or syscall.EXDEV
	// and changes nothing.
	Exchange(ctx context.Context, a, b string) error
}

// Exchange swaps a and b in one step. Without an [Exchanger] it returns
// errors.ErrUnsupported.
func Exchange(ctx context.Context, fsys FS, a, b string) error {
	if e, ok := fsys.(Exchanger); ok {
		return e.Exchange(ctx, a, b)
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errors.ErrUnsupported}
}
