package dav

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/uploads"
)

const (
	// completeAge is how long a client can ask whether its upload is complete.
	completeAge = time.Hour
	// uploadRetry is when the removal of an upload is tried again.
	uploadRetry = time.Hour
	// turnGrace is how long a request waits for the end of the previous one about the same upload.
	// Then it interrupts it, each turnPause, until turnPatience. If the previous client has
	// disconnected, what it sent before can still be read in that time.
	turnGrace    = 200 * time.Millisecond
	turnPatience = 10 * time.Second
	turnPause    = 20 * time.Millisecond
)

// uploadTable has the uploads in parts of a Handler and its successors. The records are in memory and
// in the state.
type uploadTable struct {
	counter limit.Counter
	// number is the length of byID.
	number atomic.Int64
	own    uploads.Mem

	mu     sync.Mutex
	loaded bool
	halted bool
	byID   map[string]*upload
	// next is when the timer expires.
	next  time.Time
	timer *time.Timer
}

// upload is a file that a client uploads in parts.
type upload struct {
	id, owner, client string
	// turn is full while a request or the removal of expired uploads works on the upload.
	turn chan struct{}

	mu      sync.Mutex
	session uploads.Session
	ended   bool
	// interrupt makes the request that has the turn give up; nil if it can't.
	interrupt func()
}

func newUpload(s uploads.Session) *upload {
	return &upload{id: s.ID, owner: s.Owner, client: s.Client, turn: make(chan struct{}, 1), session: s}
}

// uploadsBound is the limit of the uploads of clients.
func (h *Handler) uploadsBound() *limit.Bound {
	most := h.Limits.Uploads
	if most == 0 {
		most = 1000
	}
	return &limit.Bound{Most: most, MostOf: h.Limits.UploadsOf, What: "uploads in parts", Instead: "finish or cancel some"}
}

// uploadAge returns how long an upload waits for its next part.
func (h *Handler) uploadAge() time.Duration {
	if h.Limits.UploadAge > 0 {
		return h.Limits.UploadAge
	}
	return 24 * time.Hour
}

// uploadStore returns the records of uploads in parts.
func (h *Handler) uploadStore() uploads.Store {
	if store := uploads.In(h.State); store != nil {
		return store
	}
	return &h.kept().uploads.own
}

// loadUploads reads the records of an earlier process, once, and removes expired uploads.
func (h *Handler) loadUploads(ctx context.Context) error {
	if h.node() != nil {
		return nil
	}
	loaded, err := h.kept().uploads.load(ctx, h)
	if loaded {
		h.expireUploads()
	}
	return err
}

// load reads the records. It returns false if it has done so before.
func (t *uploadTable) load(ctx context.Context, h *Handler) (loaded bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.loaded {
		return false, nil
	}
	all, err := h.uploadStore().AllUploads(ctx)
	if err != nil {
		return false, err
	}
	t.byID = make(map[string]*upload, len(all))
	for _, s := range all {
		// What is there already counts, even beyond a limit.
		if err := t.counter.Enter(&limit.Bound{Most: 1 << 30, MostOf: 1 << 30}, s.Client, 1); err != nil {
			return false, err
		}
		t.byID[s.ID] = newUpload(s)
	}
	t.loaded = true
	t.countLocked()
	return true, nil
}

func (t *uploadTable) countLocked() { t.number.Store(int64(len(t.byID))) }

// wakeLocked makes sure that expired uploads are removed at a time.
func (t *uploadTable) wakeLocked(h *Handler, at time.Time) {
	if t.halted || t.timer != nil && !at.Before(t.next) {
		return
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	t.next = at
	t.timer = time.AfterFunc(max(time.Until(at), 0), func() { h.kept().current.Load().expireUploads() })
}

// addUpload records a new upload.
func (h *Handler) addUpload(ctx context.Context, u *upload) error {
	if err := h.uploadStore().SaveUpload(ctx, u.session); err != nil {
		return err
	}
	t := &h.kept().uploads
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID[u.id] = u
	t.countLocked()
	t.wakeLocked(h, u.session.Expires)
	return nil
}

// findUpload returns the upload with an ID if it belongs to the owner of ctx.
func (h *Handler) findUpload(ctx context.Context, id string) (*upload, error) {
	if err := h.loadUploads(ctx); err != nil {
		return nil, err
	}
	t := &h.kept().uploads
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := t.byID[id]; u != nil && u.owner == h.uploadOwner(ctx) {
		return u, nil
	}
	return nil, errNoUpload
}

var (
	errNoUpload   = status.New(http.StatusNotFound, "no such upload: it was cancelled, took too long, or belongs to another user")
	errUploadBusy = status.New(http.StatusServiceUnavailable, "an earlier request about this upload is still being served: try again")
)

// uploadOwner returns the tenant and principal of ctx in one text.
func (h *Handler) uploadOwner(ctx context.Context) string {
	principal := storage.PrincipalOf(ctx)
	if of, ok := storage.TenantOf(ctx); ok && h.Tenant != nil {
		return tenant.Principal(of, principal)
	}
	return principal
}

// ownerContext returns a context for work on the upload of an owner, without a request.
func (h *Handler) ownerContext(owner string) context.Context {
	ctx := context.Background()
	if of, principal, ok := tenant.SplitPrincipal(owner); ok && h.Tenant != nil {
		ctx, owner = storage.WithTenant(ctx, of), principal
	}
	return storage.Unrestricted(storage.WithPrincipal(ctx, owner))
}

// take gives the caller the turn. It interrupts the request that has it, because its client has
// given up (draft, section Concurrency).
func (u *upload) take(ctx context.Context) error {
	select {
	case u.turn <- struct{}{}:
		return u.ifLive()
	default:
	}
	pause := time.NewTimer(turnGrace)
	defer pause.Stop()
	patience := time.NewTimer(turnPatience)
	defer patience.Stop()
	for {
		select {
		case u.turn <- struct{}{}:
			return u.ifLive()
		case <-pause.C:
			u.mu.Lock()
			if u.interrupt != nil {
				u.interrupt()
			}
			u.mu.Unlock()
			pause.Reset(turnPause)
		case <-patience.C:
			return errUploadBusy
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (u *upload) ifLive() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		<-u.turn
		return errNoUpload
	}
	return nil
}

// giveBack ends the turn.
func (u *upload) giveBack() { <-u.turn }

// interruptible says how the request that has the turn can be interrupted. It returns a function
// after which interrupt is not called any more.
func (u *upload) interruptible(interrupt func()) (end func()) {
	set := func(f func()) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.interrupt = f
	}
	set(interrupt)
	return func() { set(nil) }
}

func (u *upload) state() uploads.Session {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.session
}

// change changes the record, in the state and then in memory.
func (u *upload) change(ctx context.Context, h *Handler, f func(*uploads.Session)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	next := u.session
	f(&next)
	if err := h.uploadStore().SaveUpload(context.WithoutCancel(ctx), next); err != nil {
		return err
	}
	u.session = next
	return nil
}

// endUpload removes the content and then the record. The caller has the turn. Without the content, the
// record can't be used.
func (h *Handler) endUpload(ctx context.Context, u *upload) error {
	ctx = context.WithoutCancel(ctx)
	s := u.state()
	var err error
	if !s.Complete {
		err = h.FileSystem.RemoveAll(storage.Unrestricted(ctx), path.Join(path.Dir(s.Name), s.Stage))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = h.forgetUpload(ctx, u)
	}
	return err
}

// forgetUpload removes the record.
func (h *Handler) forgetUpload(ctx context.Context, u *upload) error {
	if err := h.uploadStore().DeleteUpload(ctx, u.id); err != nil {
		return err
	}
	u.mu.Lock()
	u.ended = true
	u.mu.Unlock()
	t := &h.kept().uploads
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[u.id] == u {
		delete(t.byID, u.id)
		t.countLocked()
		t.counter.Leave(u.client, 1)
	}
	return nil
}

// all returns the uploads.
func (t *uploadTable) all() []*upload {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.byID))
}

// expireUploads removes the uploads that have waited too long for their next part.
func (h *Handler) expireUploads() {
	t := &h.kept().uploads
	t.mu.Lock()
	t.timer = nil
	t.mu.Unlock()
	now := time.Now()
	var next time.Time
	for _, u := range t.all() {
		expires := u.state().Expires
		if !expires.After(now) {
			expires = now.Add(uploadRetry)
			select {
			case u.turn <- struct{}{}:
				// The last request may have given it more time.
				if later := u.state().Expires; later.After(now) {
					expires = later
				} else if h.endUpload(h.ownerContext(u.owner), u) == nil {
					expires = time.Time{}
				}
				u.giveBack()
			default: // a request is adding to it
			}
		}
		if !expires.IsZero() && (next.IsZero() || expires.Before(next)) {
			next = expires
		}
	}
	if !next.IsZero() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.wakeLocked(h, next)
	}
}

// haltUploads stops the removal of expired uploads. Uploads whose records end with the process are
// removed.
func (h *Handler) haltUploads() {
	t := &h.kept().uploads
	t.mu.Lock()
	t.halted = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	if _, volatile := h.uploadStore().(*uploads.Mem); !volatile {
		return
	}
	for _, u := range t.all() {
		ctx := h.ownerContext(u.owner)
		if u.take(ctx) == nil {
			_ = h.endUpload(ctx, u) // The process ends, so there is no later time to try it.
			u.giveBack()
		}
	}
}

// uploadsMoved makes uploads follow the collection source, which is destination now.
func (h *Handler) uploadsMoved(ctx context.Context, source, destination string) error {
	t := &h.kept().uploads
	if t.number.Load() == 0 {
		return nil
	}
	var failed error
	in := tenant.Prefix(ctx)
	for _, u := range t.all() {
		if h.Tenant != nil && tenant.Prefix(h.ownerContext(u.owner)) != in {
			continue
		}
		s := u.state()
		if s.Complete || s.Name == source || !storage.Contains(source, s.Name) {
			continue
		}
		failed = errors.Join(failed, u.change(ctx, h, func(s *uploads.Session) {
			s.Name = path.Join(destination, strings.TrimPrefix(s.Name, source))
			s.Asked = s.Name
		}))
	}
	return failed
}
