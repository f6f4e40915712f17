package demo

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/davd/davd/storage"
)

// disks makes each collection of the root a disk of its own: nothing can be
// renamed from one to another, so that a MOVE between them takes its time.
type disks struct{ storage.FS }

// Rename implements storage.FS.
func (d disks) Rename(ctx context.Context, oldName, newName string) error {
	if from, to := disk(oldName), disk(newName); from != to && from != "" && to != "" {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: errors.ErrUnsupported}
	}
	return d.FS.Rename(ctx, oldName, newName)
}

// disk is the disk that name is in, "" for the root and its members.
func disk(name string) string {
	first, _, inside := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !inside {
		return ""
	}
	return first
}
