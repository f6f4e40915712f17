package dav

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/uploads"
)

// The offset is recorded when this much has arrived, or after this time. A kill loses what has
// arrived since.
const (
	segmentBytes = 64 << 20
	segmentTime  = 2 * time.Second
)

// offsetPause is the shortest time between two interim responses about the offset.
const offsetPause = 5 * time.Second

// statusResumable is 104 (Upload Resumption Supported).
const statusResumable = 104

// errInterrupted is for a request whose client has sent another one about the same upload.
var errInterrupted = status.New(http.StatusConflict, "a newer request about this upload has taken over")

// appending is a request that adds to an upload. Its put is the one of the whole file.
type appending struct {
	*put

	w      http.ResponseWriter
	upload *upload
	wanted field.Upload
	// created says that the request has begun the upload.
	created bool
	// interrupted says that a newer request has taken over.
	interrupted atomic.Bool
	told        time.Time // of the last interim response
}

// inParts reports whether a PUT begins an upload in parts. If the client sends the whole file, that
// is so only if it can get the URL of the upload, and if the file is worth it.
func (p *put) inParts(wanted field.Upload) bool {
	if !wanted.Given || !wanted.Complete {
		return wanted.Given
	}
	return wanted.Understood && p.update == nil && (p.length < 0 || p.length > briefBody) && p.h.node() == nil
}

// beginUpload begins an upload in parts (draft, section Upload Creation). A POST begins none, because
// the URL of a PUT names the file.
func (p *put) beginUpload(w http.ResponseWriter, wanted field.Upload) error {
	switch {
	case p.h.node() != nil:
		return errUploadCluster
	case wanted.Foreign:
		return errUploadDraft
	case p.update != nil:
		return errContentRange
	}
	if err := p.find(p.r.name); err != nil {
		return err
	}
	kept, err := keptHeader(p.r.Header)
	if err != nil {
		return err
	}
	s := uploads.Session{
		ID: strings.ToLower(rand.Text()), Owner: p.h.uploadOwner(p.r.Context()), Client: p.r.client(),
		Asked: p.at.Asked, Name: p.at.Name, Header: kept, Length: -1,
		Expires: time.Now().Add(p.h.uploadAge()).UTC().Truncate(time.Microsecond),
	}
	// The name of the content doesn't tell the ID.
	s.Stage = storage.ReservedPrefix + "upload-" + strings.ToLower(rand.Text())
	if s.Length, err = totalLength(wanted, s, p.length); err != nil {
		return err
	}
	if err := p.h.checkUploadSize(w, max(s.Length, p.length)); err != nil {
		return err
	}
	if err := p.h.loadUploads(p.r.Context()); err != nil {
		return err
	}
	a := &appending{put: p, w: w, upload: newUpload(s), wanted: wanted, created: true}
	if err := p.h.kept().uploads.counter.Enter(p.h.uploadsBound(), s.Client, 1); err != nil {
		return err
	}
	return a.begin(s)
}

// begin makes the checks of a PUT, records the upload and makes its stage.
func (a *appending) begin(s uploads.Session) error {
	a.upload.turn <- struct{}{}
	defer a.upload.giveBack()
	added := false
	err := a.open(0, func(old fs.FileInfo) error {
		if err := a.mayChange(old); err != nil {
			return err
		}
		if err := checkSpace(a.r.Context(), a.h.FileSystem, path.Dir(a.at.Name), s.Length); err != nil {
			return err
		}
		// The record comes first, so that no content is without one.
		if err := a.h.addUpload(a.r.Context(), a.upload); err != nil {
			return err
		}
		added = true
		return nil
	})
	switch {
	case err != nil && added:
		return errors.Join(err, a.h.endUpload(a.r.Context(), a.upload))
	case err != nil:
		a.h.kept().uploads.counter.Leave(s.Client, 1)
		return err
	}
	a.tell("Location", a.h.uploadHref(a.r.Context(), s.ID))
	return a.serve()
}

// tell sends a 104 with a header to a client that understands it.
func (a *appending) tell(name, value string) {
	if !a.informs() {
		return
	}
	header := a.w.Header()
	header.Set(field.UploadDraft, field.UploadVersion)
	header.Set(name, value)
	if a.created && a.told.IsZero() {
		a.h.setUploadLimit(a.w, a.h.uploadAge())
	}
	a.w.WriteHeader(statusResumable)
	header.Del(field.UploadDraft)
	header.Del(field.UploadLimit)
	header.Del(name)
	a.told = time.Now()
}

// informs reports whether the client gets 104s: if it knows them, and if the rules of interim.Policy
// allow them as if it had asked for them.
func (a *appending) informs() bool {
	if !a.wanted.Understood {
		return false
	}
	asking := *a.r.Request
	asking.Header = asking.Header.Clone()
	asking.Header.Set("Prefer", "processing")
	return a.h.Interim.Grant(&asking).Refused.Rule == 0
}

// open opens the content at an offset, if check allows it.
func (a *appending) open(offset int64, check func(old fs.FileInfo) error) error {
	s := a.upload.state()
	a.kept, a.from = s.Stage, offset
	err := a.put.begin(check, false)
	if errors.Is(err, storage.ErrStageLost) {
		err = errors.Join(errNoUpload, err)
	}
	return err
}

// serve receives the body, and puts the file in place if it is complete.
func (a *appending) serve() error {
	end := a.upload.interruptible(a.interrupt)
	err := a.receiveAll()
	end()
	switch {
	case err != nil && a.interrupted.Load():
		return errInterrupted
	case err != nil:
		return err
	case !a.wanted.Complete:
		a.accepted()
		return nil
	}
	s := a.upload.state()
	if s.Length >= 0 && s.Offset != s.Length {
		return lengthProblem("the file has " + strconv.FormatInt(s.Length, 10) + " bytes, but only " + strconv.FormatInt(s.Offset, 10) + " have arrived")
	}
	return a.complete(s)
}

// interrupt makes a read of the body fail.
func (a *appending) interrupt() {
	a.interrupted.Store(true)
	_ = http.NewResponseController(a.w).SetReadDeadline(time.Unix(1, 0))
}

// receiveAll adds the body to the content, and records how much has arrived.
func (a *appending) receiveAll() error {
	buf := uploadBuffers.Get().(*[uploadBuffer]byte) //nolint:forcetypeassert // nothing else is in it
	defer uploadBuffers.Put(buf)
	for {
		offset := a.upload.state().Offset
		if a.content == nil {
			if err := a.open(offset, func(old fs.FileInfo) error { a.old = old; return nil }); err != nil {
				return err
			}
		}
		part := a.part(offset)
		n, err := io.CopyBuffer(writerOnly{a.content}, part, buf[:])
		err = part.failed(err)
		if kept := a.keep(offset + n); kept != nil {
			return errors.Join(err, kept)
		}
		if part.excess {
			return errors.Join(part.tooLong(), a.h.endUpload(a.r.Context(), a.upload))
		}
		if err != nil || !part.more {
			return err
		}
		if time.Since(a.told) >= offsetPause {
			a.tell(field.UploadOffset, strconv.FormatInt(offset+n, 10))
		}
	}
}

// keep ends the segment of the content that ends at offset, and records the offset.
func (a *appending) keep(offset int64) error {
	ctx := context.WithoutCancel(a.r.Context())
	err := storage.Keep(ctx, a.content, a.h.Sync)
	a.content = nil
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		unsupported := status.New(http.StatusNotImplemented, "this storage accepts no uploads in parts: send the whole file in one request")
		return errors.Join(unsupported, a.h.endUpload(ctx, a.upload))
	case err != nil:
		return err // The offset stays, and what is after it will be cut off.
	}
	return a.upload.change(ctx, a.h, func(s *uploads.Session) {
		s.Offset = offset
		s.Expires = time.Now().Add(a.h.uploadAge()).UTC().Truncate(time.Microsecond)
	})
}

// part returns a reader of the next segment, which begins at offset.
func (a *appending) part(offset int64) *partReader {
	p := &partReader{
		body: &bodyReader{body: a.r.Body}, left: segmentBytes, until: time.Now().Add(segmentTime), allowed: -1,
		interrupted: &a.interrupted, most: a.h.Limits.UploadSize,
	}
	if a.r.Body == nil {
		p.body.body = http.NoBody
	}
	if length := a.upload.state().Length; length >= 0 {
		p.allowed = length - offset
	} else if p.most > 0 {
		p.allowed, p.tooLarge = max(p.most-offset, 0), true
	}
	return p
}

// partReader reads a segment of a body.
type partReader struct {
	body  *bodyReader
	left  int64 // of the segment
	until time.Time
	// allowed is how much the file may still grow, or -1. tooLarge says that most is the reason.
	allowed  int64
	most     int64
	tooLarge bool
	// more says that the segment has ended before the body, and excess that the body was longer
	// than allowed.
	more, excess bool
	interrupted  *atomic.Bool
}

func (p *partReader) Read(b []byte) (int, error) {
	switch {
	case p.interrupted.Load():
		p.body.err = errInterrupted
		return 0, errInterrupted
	case p.left <= 0 || time.Now().After(p.until):
		p.more = true
		return 0, io.EOF
	case p.allowed == 0:
		n, err := p.body.Read(b[:1])
		if p.excess = n > 0; p.excess {
			return 0, io.EOF
		}
		return 0, err
	case p.allowed > 0:
		b = b[:min(int64(len(b)), p.allowed)]
	}
	n, err := p.body.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	if p.allowed > 0 {
		p.allowed -= int64(n)
	}
	return n, err
}

// failed returns the error for the client if copying the segment ended with err.
func (p *partReader) failed(err error) error {
	switch {
	case p.body.err != nil:
		return partCutOff(p.body.err)
	case err != nil:
		return unplaced(err)
	}
	return nil
}

// partCutOff is cutOff for a part.
func partCutOff(err error) error {
	err = cutOff(err)
	if code := status.Of(err); code != http.StatusRequestEntityTooLarge {
		return status.New(code, "the request body did not arrive completely; the upload can be continued")
	}
	return err
}

// tooLong returns the error for a body that is longer than allowed.
func (p *partReader) tooLong() error {
	if p.tooLarge {
		return status.New(http.StatusRequestEntityTooLarge, "the largest file that this server accepts in parts has "+strconv.FormatInt(p.most, 10)+" bytes; the upload has ended")
	}
	return lengthProblem("the request body is longer than the file; the upload has ended")
}

// complete puts the file in place, like a PUT of the whole file at this time. If that is refused, the
// upload remains, and the client can try again with an empty PATCH.
func (a *appending) complete(s uploads.Session) error {
	c, err := a.claim(false)
	if err != nil {
		return err
	}
	defer c.release()
	if err := a.h.authorize(a.r); err != nil {
		return err
	}
	if err := a.open(s.Offset, a.mayChange); err != nil {
		return err
	}
	if err := a.upload.change(a.r.Context(), a.h, func(s *uploads.Session) { s.Placing = true }); err != nil {
		return errors.Join(err, storage.Keep(a.r.Context(), a.content, storage.SyncNever))
	}
	info, err := a.commit(c, a.mayChange)
	a.w.Header().Set(field.UploadComplete, field.FormatUploadComplete(true))
	if err != nil {
		return errors.Join(err, a.h.endUpload(a.r.Context(), a.upload))
	}
	done := a.upload.change(a.r.Context(), a.h, func(s *uploads.Session) {
		s.Complete, s.Length, s.Header = true, s.Offset, nil
		s.Expires = time.Now().Add(completeAge).UTC().Truncate(time.Microsecond)
	})
	a.answer(a.w, info)
	return status.Logged(done)
}
