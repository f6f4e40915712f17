package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ErrStageLost says that kept content is missing, or shorter than Replacing.From.
var ErrStageLost = errors.New("the content that was kept is lost")

// Keeper is a [Replacement] that can end without a commit and leave its content in the storage, so
// that another Replacement can continue it, perhaps in another process.
type Keeper interface {
	Replacement

	// Keep ends the replacement and leaves the content under the name StageName, which must be
	// that of Replacing.Kept. It flushes the content if sync says so. After an error, the
	// content may end anywhere. After Keep, Discard does nothing and Commit fails.
	Keep(ctx context.Context, sync Sync) error
}

// Keep ends r and leaves its content. If r can't, Keep discards the content and returns
// errors.ErrUnsupported.
func Keep(ctx context.Context, r Replacement, sync Sync) error {
	if k, ok := r.(Keeper); ok {
		return k.Keep(ctx, sync)
	}
	return errors.Join(fmt.Errorf("keeping the content of a file that is not complete: %w", errors.ErrUnsupported), r.Discard())
}

// CheckKept returns fs.ErrInvalid if the fields of r about kept content are invalid. It is for
// backends.
func (r *Replacing) CheckKept() error {
	if r.Kept == "" && r.From == 0 {
		return nil
	}
	if r.Patch != nil || r.From < 0 || !reservedSegment(r.Kept) || strings.Contains(r.Kept, "/") {
		return fs.ErrInvalid
	}
	return nil
}
