package mount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
)

// share is a Share with its open storages.
type share struct {
	Share
	of    *FS
	users bool // whether it has one storage for each user
	// tables counts the tables that contain the share.
	tables atomic.Int64
	only   *slot // the storage, unless users

	mu      sync.RWMutex
	slots   map[string]*slot // by user
	retired bool
}

func (s Share) ofUsers() bool { return strings.Contains(s.At+"/", "/"+UserSegment+"/") }

func newShare(f *FS, s Share) *share {
	is := &share{Share: s, of: f, users: s.ofUsers()}
	if is.users {
		is.slots = map[string]*slot{}
	} else {
		is.only = &slot{of: is}
	}
	return is
}

// errGone says that the table has changed since the name was looked for in it.
var errGone = errors.New("the share was removed")

// acquire returns the storage of user. The caller must release it.
func (s *share) acquire(ctx context.Context, user string) (*opened, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		slot := s.only
		if s.users {
			slot = s.slot(user)
		}
		if slot == nil {
			return nil, errGone
		}
		o, err := slot.acquire(ctx)
		if !errors.Is(err, errGone) {
			return o, err
		}
		if slot == s.only {
			return nil, errGone
		}
	}
}

// slot returns the slot of user, or nil if the share is retired.
func (s *share) slot(user string) *slot {
	s.mu.RLock()
	is := s.slots[user]
	s.mu.RUnlock()
	if is != nil {
		return is
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retired {
		return nil
	}
	if is := s.slots[user]; is != nil {
		return is
	}
	s.makeRoomLocked()
	is = &slot{of: s, user: user}
	s.slots[user] = is
	return is
}

// maxUsers is the default of [FS.MaxUsers].
const maxUsers = 256

// makeRoomLocked closes the storage that has been idle for longest if there are too many.
func (s *share) makeRoomLocked() {
	limit := s.of.MaxUsers
	if limit == 0 {
		limit = maxUsers
	}
	if len(s.slots) < limit {
		return
	}
	var oldest *slot
	for _, each := range s.slots {
		if each.idle() && (oldest == nil || each.used.Load() < oldest.used.Load()) {
			oldest = each
		}
	}
	if oldest != nil {
		delete(s.slots, oldest.user)
		oldest.leave()
	}
}

// forget removes the slot of a user who has no storage.
func (s *share) forget(is *slot) {
	s.mu.Lock()
	if s.slots[is.user] == is {
		delete(s.slots, is.user)
	}
	s.mu.Unlock()
	is.leave()
}

// retire closes all storages of the share, each when its last call ends.
func (s *share) retire() {
	if !s.users {
		s.only.leave()
		return
	}
	s.mu.Lock()
	slots := s.slots
	s.slots, s.retired = nil, true
	s.mu.Unlock()
	for _, each := range slots {
		each.leave()
	}
}

// slot is the place for one storage.
type slot struct {
	of   *share
	user string
	open atomic.Pointer[opened]
	used atomic.Int64 // the time of the last use, in nanoseconds

	mu      sync.Mutex
	opening *attempt  // not nil while the storage is being opened
	err     error     // the reason why the storage is unavailable
	retry   time.Time // when the next attempt is due
	gone    bool
}

// idle reports whether no call uses the storage.
func (s *slot) idle() bool {
	o := s.open.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opening == nil && (o == nil || o.refs.Load() == 1)
}

// leave ends the use of the slot.
func (s *slot) leave() {
	s.mu.Lock()
	s.gone = true
	o := s.open.Swap(nil)
	s.mu.Unlock()
	if o != nil {
		o.release()
	}
}

// acquire returns the open storage, and opens it first if necessary.
func (s *slot) acquire(ctx context.Context) (*opened, error) {
	now := time.Now()
	for {
		if o := s.open.Load(); o != nil && o.retain() {
			if s.available(ctx, o, now) {
				s.used.Store(now.UnixNano())
				return o, nil
			}
			o.release()
			continue
		}
		opening, own, err := s.begin(ctx)
		if err != nil {
			return nil, err
		}
		if opening == nil {
			continue // It is open now.
		}
		select {
		case <-opening.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := opening.err; err != nil && (own || errors.Is(err, storage.ErrUnavailable)) {
			return nil, err
		}
	}
}

// available asks the storage whether it is available, if it was last asked long enough ago. If it
// is not, available gives it up.
func (s *slot) available(ctx context.Context, o *opened, now time.Time) bool {
	if o.asked == nil {
		return true
	}
	last := o.checked.Load()
	if now.UnixNano()-last < int64(checkEvery) || !o.checked.CompareAndSwap(last, now.UnixNano()) {
		return true
	}
	err := o.asked.Available(ctx)
	if err == nil || ctx.Err() != nil {
		return true
	}
	s.mu.Lock()
	dropped := s.open.CompareAndSwap(o, nil)
	s.mu.Unlock()
	if dropped {
		o.release()
	}
	return false
}

// attempt is an attempt to open a storage. err is valid when done is closed.
type attempt struct {
	done chan struct{}
	err  error
}

// begin starts to open the storage. own is false if another call has started to do so. The
// attempt is nil if the storage is open.
func (s *slot) begin(ctx context.Context) (opening *attempt, own bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return nil, false, errGone
	case s.open.Load() != nil:
		return nil, false, nil
	case s.opening != nil:
		return s.opening, false, nil
	case s.err != nil && time.Now().Before(s.retry):
		return nil, false, s.err
	}
	s.opening = &attempt{done: make(chan struct{})}
	// The call may end before the storage is open, which others wait for too.
	go s.try(context.WithoutCancel(ctx), s.opening)
	return s.opening, true, nil
}

// try opens the storage.
func (s *slot) try(ctx context.Context, a *attempt) {
	var o *opened
	fsys, err := s.of.Open(ctx, s.user)
	switch {
	case err == nil:
		o = newOpened(ctx, fsys)
	case s.of.users && !errors.Is(err, storage.ErrUnavailable) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
		// Another principal may get another answer, so this one is only for the call.
		a.err = storage.Cause(err)
		s.of.forget(s)
	default:
		a.err = &unavailableError{s.of.ID, err}
	}
	s.mu.Lock()
	s.opening, s.err, s.retry = nil, a.err, time.Now().Add(checkEvery)
	placed := o != nil && !s.gone
	if placed {
		s.open.Store(o)
	}
	s.mu.Unlock()
	close(a.done)
	switch {
	case placed && s.of.of.Opened != nil:
		s.of.of.Opened(s.of.ID, s.user)
	case !placed:
		o.release()
	}
}

// Storage is a storage with functions that come from elsewhere. [Share.Open] can return a
// *Storage if its FS is a decorator, which hides the methods Available and Close of the FS
// inside.
type Storage struct {
	storage.FS
	// Ask reports whether the storage is available, as a method Available does. It may be nil.
	Ask func(ctx context.Context) error
	// End is called when the storage is no longer used. It may be nil.
	End func() error
}

// Available calls Ask.
func (s *Storage) Available(ctx context.Context) error {
	if s.Ask == nil {
		return nil
	}
	return s.Ask(ctx)
}

// Close calls End.
func (s *Storage) Close() error {
	if s.End == nil {
		return nil
	}
	return s.End()
}

// opened is an open storage.
type opened struct {
	fsys storage.FS
	// whole is what Open has returned: fsys, or a *Storage with it.
	whole storage.FS
	// identity is that of the storage.
	identity string
	asked    availabler // nil if it can't be asked
	checked  atomic.Int64
	// refs counts the slot and the calls that use it.
	refs atomic.Int64
}

type availabler interface {
	Available(ctx context.Context) error
}

func newOpened(ctx context.Context, fsys storage.FS) *opened {
	o := &opened{fsys: fsys, whole: fsys}
	if s, ok := fsys.(*Storage); ok {
		o.fsys = s.FS
	}
	o.refs.Store(1)
	o.asked, _ = fsys.(availabler)
	o.checked.Store(time.Now().UnixNano())
	// Without an identity, pins rely on the name of the share.
	o.identity, _ = storage.Identity(ctx, o.fsys, "/")
	return o
}

func (o *opened) retain() bool { return retain(&o.refs) }

func (o *opened) release() {
	if o != nil && o.refs.Add(-1) == 0 {
		closing(o.whole)
	}
}

// unavailableError says why a share can't be opened. It doesn't match the cause: a
// directory that is missing doesn't mean that the names in it don't exist.
type unavailableError struct {
	id    string
	cause error
}

func (e *unavailableError) Error() string {
	return fmt.Sprintf("the share %s is not available: %v", e.id, e.cause)
}

func (e *unavailableError) Unwrap() error { return storage.ErrUnavailable }
