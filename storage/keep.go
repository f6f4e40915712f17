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

// Preparer is a [Replacement] that can do what takes long in a commit before the commit, such as
// sending the rest of the content to another machine.
type Preparer interface {
	Replacement

	// Prepare ends the content: nothing more is written. See the function [Prepare].
	Prepare(ctx context.Context) error
}

// Prepare does the work of a commit that doesn't need the right to change the name, so that Commit
// takes only a moment. The caller has written the whole content. After an error, only Discard may
// be called. Without a [Preparer], Prepare does nothing. A call before Commit is not required.
func Prepare(ctx context.Context, r Replacement) error {
	if p, ok := r.(Preparer); ok {
		return p.Prepare(ctx)
	}
	return nil
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
