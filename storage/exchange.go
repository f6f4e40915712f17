package storage

import (
	"context"
	"errors"
	"os"
)

// Exchanger is an FS that can let two names change places in one step.
type Exchanger interface {
	FS

	// Exchange lets what is at a and what is at b change places, whatever they
	// are. It returns errors.ErrUnsupported or syscall.EXDEV where these two
	// can't; then nothing has changed.
	Exchange(ctx context.Context, a, b string) error
}

// Exchange lets a and b change places. Without an [Exchanger] it returns
// errors.ErrUnsupported.
func Exchange(ctx context.Context, fsys FS, a, b string) error {
	if e, ok := fsys.(Exchanger); ok {
		return e.Exchange(ctx, a, b)
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errors.ErrUnsupported}
}
