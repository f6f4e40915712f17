package dav

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
)

// lock creates a lock, and an empty file if nothing exists at the URL (RFC 4918
// §7.3). Without a body, it refreshes locks.
func (h *Handler) lock(w http.ResponseWriter, r *request) error {
	timeout, err := h.LockTimeouts.granted(r.Header["Timeout"])
	if err != nil {
		return err
	}
	info, err := readXML(w, r, davxml.ParseLockinfo)
	if err != nil {
		return err
	}
	at, err := h.names().Place(r.Context(), r.name, true)
	if err != nil {
		return err
	}
	if info == nil {
		return r.refresh(w, at, timeout)
	}
	depth, err := r.depth("0", "infinity")
	if err == nil && depth != 0 {
		// The lock will keep others from changing the members.
		err = h.allowed(r.Context(), at.Name, storage.RightLock, true)
	}
	if err != nil {
		return err
	}
	wanted := lock.Lock{
		Root: at.Key, ZeroDepth: depth == 0, Shared: info.Shared, OwnerXML: info.OwnerXML,
		Principal: r.principal(), Duration: timeout,
	}
	if wanted.Principal == "" {
		wanted.Client = r.client()
		wanted.ClientMax = limit.ShareOf(wanted.Client, cmp.Or(h.Limits.LocksOf, defaultLocksOf))
	}
	return r.acquire(w, at, wanted)
}

// acquire creates the lock wanted at a place (RFC 4918 §9.10.1).
func (r *request) acquire(w http.ResponseWriter, at place.Place, wanted lock.Lock) error {
	header, err := r.conditionsIf()
	if err != nil {
		return err
	}
	// Whatever its depth, a lock protects the names of the direct members. So no member may
	// be created or removed meanwhile.
	c, err := r.claimNames(intent{brief: r.h.transacts(r.Context(), at)}, operation.Scope{Name: wanted.Root, Tree: !wanted.ZeroDepth, Members: true})
	if err != nil {
		return err
	}
	defer c.release()
	occupant, granted, err := r.grant(c, header, at, wanted)
	if c.shared == nil {
		if err != nil {
			return err
		}
	} else if ended := c.end(err); ended != nil || err != nil {
		return cmp.Or(ended, err) // If another node has finished, it has not granted the lock.
	}
	code := http.StatusOK
	switch {
	case occupant == nil:
		code = http.StatusCreated
	case occupant.IsDir():
		r.setContentLocation(w.Header(), at.Asked)
	}
	w.Header().Set("Lock-Token", "<"+granted.Token+">")
	return r.respondLock(w, at, granted, code)
}

// grant creates the lock and, if nothing exists at the place, an empty file. occupant describes
// what exists.
func (r *request) grant(c *claim, header field.If, at place.Place, wanted lock.Lock) (occupant fs.FileInfo, granted lock.Lock, err error) {
	if occupant, err = r.mayLock(header, at); err != nil {
		return nil, granted, err
	}
	if occupant == nil && !c.direct() {
		granted, err = r.grantNew(c, at, wanted)
		return nil, granted, err
	}
	if granted, err = r.h.locks().Acquire(r.Context(), wanted); err != nil {
		return nil, granted, r.h.locks().Conflict(r.Context(), at, err)
	}
	if occupant == nil {
		err := r.h.removeEarlier(r.Context(), at)
		if err == nil {
			err = r.h.createEmpty(r.Context(), c, at)
		}
		if err != nil && c.shared != nil {
			return nil, granted, err // The transaction will be undone.
		}
		if err != nil {
			return nil, granted, errors.Join(err, r.h.locks().Release(context.WithoutCancel(r.Context()), granted.Token))
		}
		r.h.noteCreated(r.Context(), at, granted.Token)
	}
	return occupant, granted, nil
}

// grantNew creates an empty file and then its lock. If the process dies in between, another node
// leaves the file, but no lock whose token no client knows.
func (r *request) grantNew(c *claim, at place.Place, wanted lock.Lock) (granted lock.Lock, err error) {
	ctx := context.WithoutCancel(r.Context())
	if err := r.h.locks().Grantable(ctx, wanted); err != nil {
		return granted, r.h.locks().Conflict(ctx, at, err)
	}
	if err := r.h.removeEarlier(ctx, at); err != nil {
		return granted, err
	}
	engine := r.h.engine(c, at)
	if err := placed(engine.MakeFile(ctx, at.Name, 0o666)); err != nil && !errors.Is(err, fs.ErrExist) {
		return granted, err
	}
	r.h.changedMembers(ctx, c, at.Name)
	if granted, err = r.h.locks().Acquire(ctx, wanted); err != nil {
		if c.shared.lost() || errors.Is(err, cluster.ErrFenced) {
			return granted, err
		}
		return granted, errors.Join(r.h.locks().Conflict(ctx, at, err), engine.Remove(ctx, at.Name, nil))
	}
	r.h.noteCreated(ctx, at, granted.Token)
	return granted, nil
}

// mayLock returns an error if the resource must not be locked. Otherwise it returns the
// resource's description, or nil if the resource doesn't exist.
func (r *request) mayLock(header field.If, at place.Place) (fs.FileInfo, error) {
	if err := r.evaluateIf(header, at); err != nil {
		return nil, err
	}
	info, err := r.h.names().Look(r.Context(), at, true)
	if err != nil && status.Of(err) != http.StatusNotFound {
		return nil, err
	}
	if err := preconditions(r, info); err != nil || info != nil {
		return info, err
	}
	if namesCollection(r) {
		return nil, errNamesCollection
	}
	if err := r.h.allowed(r.Context(), at.Asked, storage.RightCreate, false); err != nil {
		return nil, err
	}
	if err := r.h.checkParent(r.Context(), at.Name); err != nil {
		return nil, err
	}
	return nil, r.h.locks().PermitMember(r.Context(), submittedBy(r, header), at)
}

// removeEarlier removes the properties that an earlier resource with this name may have left.
func (h *Handler) removeEarlier(ctx context.Context, at place.Place) error {
	return h.properties(ctx).Remove(ctx, at.Key)
}

// createEmpty creates an empty file.
func (h *Handler) createEmpty(ctx context.Context, c *claim, at place.Place) error {
	f, err := h.FileSystem.OpenFile(ctx, at.Name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil // another program created it first
	}
	if err != nil {
		return err
	}
	h.changedMembers(ctx, c, at.Name)
	return f.Close()
}

// noteCreated notes that the LOCK of token has created the file.
func (h *Handler) noteCreated(ctx context.Context, at place.Place, token string) {
	if info, err := h.FileSystem.Stat(ctx, at.Name); err == nil {
		h.shared().created.Note(ctx, token, at.Key, info)
	}
}

// refresh restarts the timeouts of the submitted locks (RFC 4918 §9.10.2).
func (r *request) refresh(w http.ResponseWriter, at place.Place, timeout time.Duration) error {
	header, err := r.conditionsIf()
	if err != nil {
		return err
	}
	if header == nil {
		return status.New(http.StatusBadRequest, "a LOCK without a body refreshes the lock that the header If names, but the request has no header If")
	}
	if err := r.evaluateIf(header, at); err != nil {
		return err
	}
	var renewed lock.Lock
	for _, token := range header.Tokens() {
		key, err := r.protected(token, at)
		if err != nil {
			return err
		}
		l, err := r.h.locks().Renew(r.Context(), key, token, r.principal(), timeout)
		switch {
		case errors.Is(err, webdav.ErrNoSuchLock):
		case err != nil:
			return err
		default:
			renewed = l
		}
	}
	if renewed.Token == "" {
		return locktable.ErrTokenMatches(http.StatusPreconditionFailed)
	}
	return r.respondLock(w, at, renewed, http.StatusOK)
}

// respondLock answers with the locks that cover the request URI.
func (r *request) respondLock(w http.ResponseWriter, at place.Place, l lock.Lock, code int) error {
	index, err := r.h.locks().Discover(r.Context(), r.principal(), at, false)
	if err != nil {
		return err
	}
	if r.h.locks().Plain() {
		index.Add(l)
	}
	body := []byte(xml.Header + `<D:prop xmlns:D="DAV:"><D:lockdiscovery>`)
	body = index.Append(body, at)
	body = append(body, "</D:lockdiscovery></D:prop>\n"...)
	w.Header().Set("Content-Type", davxml.ContentType)
	w.WriteHeader(code)
	_, err = w.Write(body)
	return status.Logged(err)
}

// unlock removes a lock (RFC 4918 §9.11).
func (h *Handler) unlock(w http.ResponseWriter, r *request) error {
	header, err := r.conditionsIf()
	var at place.Place
	if err == nil {
		at, err = h.names().Place(r.Context(), r.name, true)
	}
	if err == nil {
		err = r.evaluateIf(header, at)
	}
	if err == nil {
		err = r.preconditionsOf(r.name)
	}
	if err != nil {
		return err
	}
	token, err := lockToken(r)
	if err != nil {
		return err
	}
	key, err := r.protected(token, at)
	if err == nil {
		err = h.locks().Unlock(r.Context(), key, token, r.principal())
	}
	if err != nil {
		return err
	}
	h.shared().created.Forget(token)
	return succeed(w, http.StatusNoContent)
}

// lockToken returns the token in the header Lock-Token (RFC 4918 §10.5). It accepts a
// token without angle brackets, because the npm package webdav sends that. Otherwise
// its files would stay locked until the locks expire.
func lockToken(r *request) (string, error) {
	value := strings.TrimSpace(r.Header.Get("Lock-Token"))
	token, opened := strings.CutPrefix(value, "<")
	token, closed := strings.CutSuffix(token, ">")
	isURI := strings.Contains(token, ":") // RFC 4918 §6.5
	if opened != closed || token == "" || !opened && !isURI || strings.ContainsAny(token, "<> \t,") {
		return "", status.New(http.StatusBadRequest, "the header Lock-Token must be a lock token between < and >")
	}
	return token, nil
}
