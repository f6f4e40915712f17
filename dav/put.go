package dav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/davd/davd/storage"
)

// servePut puts the request body in the place of the file name, whole or not at
// all (RFC 4918 §9.7, RFC 9110 §9.3.4). What must be refused is refused before
// the first byte of the body is read, so that no 100 (Continue) asks for it; a
// body may take hours, so what was found before is found out again after it.
func (h *Handler) servePut(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	p := &put{h: h, r: r, name: name}
	err = p.announced()
	if err == nil {
		err = p.mayBegin()
	}
	if errors.Is(err, errContentCoding) {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110 §15.5.16
	}
	if err != nil {
		return statusOf(err), err
	}
	p.content, err = storage.ReplaceFile(r.Context(), h.FileSystem, name, 0o666)
	if err != nil {
		err = unplaced(err)
		return statusOf(err), err
	}
	defer func() { err = errors.Join(err, p.content.Discard()) }()
	if err := p.receive(); err != nil {
		return statusOf(err), err
	}
	info, err := p.commit()
	if err != nil {
		return statusOf(err), err
	}
	header := w.Header()
	header.Set("ETag", entityTag(r.Context(), info))
	header.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
	if !p.modified.IsZero() && info.ModTime().Unix() == p.modified.Unix() {
		header.Set("X-OC-Mtime", "accepted")
	}
	if p.creates {
		return http.StatusCreated, nil
	}
	return http.StatusNoContent, nil
}

// put is a PUT that is under way.
type put struct {
	h    *Handler
	r    *http.Request
	name string
	// length of the body as announced, in bytes; -1: unknown.
	length int64
	// modified is the modification time that the client wants; zero: now.
	modified time.Time
	content  storage.Replacement
	// creates: there is no file, as far as is known. In the end: there was
	// none, or an empty one that a LOCK has made.
	creates bool
}

// mayBegin refuses what can't be done, and makes nothing.
func (p *put) mayBegin() error {
	info, err := p.occupant()
	p.creates = info == nil
	if err == nil && p.creates {
		err = p.h.checkParent(p.r.Context(), p.name)
	}
	if err == nil {
		err = p.h.check(p.r, p.change())
	}
	if err == nil {
		err = preconditions(p.r, info)
	}
	if err == nil {
		err = p.h.checkSpace(p.r.Context(), path.Dir(p.name), p.length)
	}
	return err
}

func (p *put) change() change { return change{name: p.name, member: p.creates} }

// occupant describes the file that is there, nil if there is none. A collection
// is an error (RFC 4918 §9.7.2).
func (p *put) occupant() (fs.FileInfo, error) {
	if p.name == "/" {
		// No file can ever be there, and x/net says so, too.
		return nil, &statusError{status: http.StatusNotFound, reason: "the root of a share is no file"}
	}
	info, err := p.h.occupant(p.r.Context(), p.name)
	if err == nil && info != nil && info.IsDir() {
		return nil, errIsCollection
	}
	return info, err
}

var errIsCollection = &statusError{status: http.StatusMethodNotAllowed, reason: "it is a collection, which has no content that could be written"}

// receive reads the body to its end.
func (p *put) receive() error {
	body := &bodyReader{body: p.r.Body}
	buf := uploadBuffers.Get().(*[uploadBuffer]byte) //nolint:forcetypeassert // nothing else is in it
	defer uploadBuffers.Put(buf)
	n, err := io.CopyBuffer(writerOnly{p.content}, body, buf[:])
	switch {
	case body.err != nil:
		return cutOff(body.err)
	case err != nil:
		return unplaced(err)
	case p.length >= 0 && n != p.length:
		return &statusError{
			status: http.StatusBadRequest,
			reason: fmt.Sprintf("the request body has %d bytes, but %d were announced", n, p.length),
		}
	}
	return nil
}

// commit puts the content, which is complete, into its place.
func (p *put) commit() (fs.FileInfo, error) {
	claim, err := p.h.confirm(p.r, p.change())
	if err != nil {
		return nil, err
	}
	defer claim.release()
	info, err := p.recheck()
	if err != nil {
		return nil, err
	}
	// The client has sent everything: whether it still waits is no matter.
	ctx := context.WithoutCancel(p.r.Context())
	if p.creates {
		// What has become of an earlier resource of this name is not known.
		if err := p.h.properties().Remove(ctx, p.name); err != nil {
			return nil, err
		}
	}
	create := createOnly(p.r)
	placed, err := p.content.Commit(ctx, p.h.distinct(ctx, p.name, p.modified), create)
	if create && errors.Is(err, fs.ErrExist) {
		return nil, failedPrecondition("If-None-Match")
	}
	if err != nil {
		return nil, unplaced(err)
	}
	if p.creates {
		p.h.changedMembers(ctx, p.name)
	} else {
		p.creates = p.madeByLock(ctx, info)
	}
	return placed, nil
}

// createOnly reports whether the client wants nothing to be replaced, not even
// what appears behind the server's back (RFC 9110 §13.1.2).
func createOnly(r *http.Request) bool {
	for tag := range listElements(r.Header.Values("If-None-Match")) {
		if tag == "*" {
			return true
		}
	}
	return false
}

// recheck looks again at what is there, now that it is claimed.
func (p *put) recheck() (fs.FileInfo, error) {
	info, err := p.occupant()
	if err == nil && (info == nil) != p.creates {
		// The locks to be checked are others than those that were.
		p.creates = info == nil
		err = p.h.check(p.r, p.change())
	}
	if err == nil {
		err = preconditions(p.r, info)
	}
	return info, err
}

// madeByLock reports whether info describes an empty file whose lock the client
// has submitted: as far as can be known, one that LOCK has made where there was
// nothing (RFC 4918 §7.3), and that gets its first representation.
func (p *put) madeByLock(ctx context.Context, info fs.FileInfo) bool {
	if info.Size() != 0 {
		return false
	}
	header, err := ifOf(p.r)
	if err != nil {
		return false
	}
	for _, token := range header.tokens() {
		own, err := p.h.locks().covers(ctx, token, p.name)
		if err != nil || !own {
			continue
		}
		if above, err := p.h.locks().covers(ctx, token, path.Dir(p.name)); err == nil && !above {
			return true
		}
	}
	return false
}

// unplaced makes err, of a storage.Replacement, one of PUT: what is missing is
// the collection (RFC 4918 §9.7.1).
func unplaced(err error) error {
	switch statusOf(err) {
	case http.StatusNotFound:
		return errNoParent
	case http.StatusMethodNotAllowed:
		return errIsCollection
	}
	return err
}
