// Package mount combines several storages into one name space.
//
// A [Share] gives a storage a name in that space, such as "/photos". Shares may be nested:
// the longest name wins, and the outer storage can't be reached at that name or below it. The
// collections that lead to shares and belong to none, usually the root, exist and are
// read-only (fs.ErrPermission).
//
// # What is refused
//
// The places of shares are fixed. Removing, renaming or replacing the root of a share, or a
// collection that contains one, returns fs.ErrPermission and changes nothing
// ([storage.CheckRemoval]). So does creating something in a collection that belongs to no share.
//
// A symbolic link of a storage can't lead to another one. A link that leads to a name
// where another share is mounted is missing.
//
// # Availability
//
// A share is opened when it is first used. If that fails, only the names of this share return
// [storage.ErrUnavailable]; its parent still lists it. Each second the next call tries again. A
// storage may have a method
//
//	Available(ctx context.Context) error
//
// It is called at most once a second, before another call. If it returns an error, the storage is
// closed and opened again.
//
// # Shares of users
//
// The name of a share may contain a segment {user}, as in "/home/{user}". It then stands
// for one storage for each user, and [Share.Open] gets the name of the user. A listing of /home
// contains only the storage of the principal ([storage.PrincipalOf]). This package doesn't
// decide who may use it: package access does.
package mount

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
)

// UserSegment is the segment of [Share.At] that stands for the name of a user.
const UserSegment = "{user}"

// Share is a storage and its place.
type Share struct {
	// ID identifies the share in the state, whatever its place is. It is one segment of a
	// name and is not empty.
	ID string
	// At is the clean name of the share's root.
	At string
	// Token identifies what Open opens. If a share has the same ID and Token after
	// [FS.Set] as before, its storages stay open.
	Token string
	// Open opens the storage. user is "" unless At contains [UserSegment]. It is a valid user
	// name ([ValidUser]), but whether such a user exists is for Open to decide: if it returns
	// fs.ErrNotExist or fs.ErrPermission for a user, that is the error of each name in the
	// share. Only if the user is the principal of ctx may Open create something. Any other
	// error makes the share unavailable. If the storage is an io.Closer, it is closed when it
	// is no longer used.
	Open func(ctx context.Context, user string) (storage.FS, error)
}

// FS is one name space of several storages.
type FS struct {
	// Opened, if not nil, is called whenever a storage of a share has been opened or opened
	// again. It must be set before the first call. It may use the FS.
	Opened func(id, user string)
	// MaxUsers limits how many storages of users each share keeps open when they are idle.
	// Zero means 256. It must be set before the first call.
	MaxUsers int

	table atomic.Pointer[table]

	// setting serializes Set and Close.
	setting sync.Mutex
}

// New returns the name space of shares.
func New(shares ...Share) (*FS, error) {
	f := &FS{}
	return f, f.Set(shares)
}

// Set replaces the shares. Calls and operations ([storage.Pin]) that are under way finish with the
// storages that they have begun with. A storage that is no longer needed is closed after that. If
// Set returns an error, the shares stay as they are.
func (f *FS) Set(shares []Share) error {
	f.setting.Lock()
	defer f.setting.Unlock()
	old := f.table.Load()
	next, err := newTable(f, shares, old)
	if err != nil {
		return err
	}
	f.table.Store(next)
	old.release()
	return nil
}

// Close closes all storages, each when its last call ends. No name exists any more.
func (f *FS) Close() error { return f.Set(nil) }

// Check tries to open each closed share, except for those of users, and asks the open ones
// whether they are available. It returns the reasons why some are not. Call it from time to
// time, so that [FS.Opened] is called soon after a share has returned.
func (f *FS) Check(ctx context.Context) error {
	var failed []error
	for _, s := range f.table.Load().shares {
		if s.users {
			continue
		}
		o, err := s.acquire(ctx, "")
		if err != nil {
			failed = append(failed, fmt.Errorf("share %s: %w", s.ID, err))
			continue
		}
		o.release()
	}
	return errors.Join(failed...)
}

// maxUser limits the name of a user, in bytes.
const maxUser = 255

// ValidUser reports whether user can be a segment of a name: it is not empty, "." or "..",
// has at most 255 bytes without slashes and control characters, and is not reserved.
func ValidUser(user string) bool {
	if user == "" || user == "." || user == ".." || len(user) > maxUser || storage.Reserved(user) {
		return false
	}
	return !strings.ContainsFunc(user, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f })
}

// checkEvery is how often a storage is asked whether it is available, and how often
// opening it is tried.
const checkEvery = time.Second

// closing closes fsys if it can be closed.
func closing(fsys storage.FS) {
	if closer, ok := fsys.(io.Closer); ok {
		_ = closer.Close() // Everything was written by calls that have ended.
	}
}
