package dav

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
)

// put creates the file name from the request body or replaces it, in one step (RFC
// 4918 §9.7, RFC 9110 §9.3.4). With a Content-Range the body replaces only a part of
// the file (§14.5).
func (h *Handler) put(w http.ResponseWriter, r *request) error {
	p := &put{h: h, r: r}
	if err := p.announced(); err != nil {
		return p.refuse(w, err)
	}
	if _, ok := r.Header[field.UploadComplete]; ok {
		if wanted := field.ParseUpload(r.Header); p.inParts(wanted) {
			return p.refuse(w, p.beginUpload(w, wanted))
		}
	}
	return p.serve(w, r.name)
}

// put is a running PUT or PATCH.
type put struct {
	h  *Handler
	r  *request
	at place.Place
	// length is the announced length of the body in bytes, or -1.
	length int64
	// modified is the modification time that the client wants; zero means now.
	modified time.Time
	// update is the part of the file to replace; nil means the whole file.
	update  *field.UpdateRange
	content storage.Replacement
	// kept is the reserved name of the content of an upload in parts, which goes on at the
	// offset from; "" for a file in one request.
	kept string
	from int64
	// old is the existing file as of the last check, or nil. At the end it is the file
	// that was replaced.
	old fs.FileInfo
	// refused is the error of the last check that the storage called.
	refused error
}

// serve carries out the request after its headers were read.
func (p *put) serve(w http.ResponseWriter, name string) error {
	info, err := p.replace(name)
	var discarded error
	if p.content != nil {
		discarded = p.content.Discard()
	}
	if err != nil {
		return p.refuse(w, errors.Join(err, discarded))
	}
	p.answer(w, info)
	return status.Logged(discarded)
}

// answer answers a request that was successful. info describes the new file.
func (p *put) answer(w http.ResponseWriter, info fs.FileInfo) {
	header := w.Header()
	header.Set("ETag", place.EntityTag(p.r.Context(), info))
	setLastModified(header, info)
	if !p.modified.IsZero() && info.ModTime().Unix() == p.modified.Unix() {
		header.Set("X-OC-Mtime", "accepted")
	}
	code := http.StatusNoContent
	if p.old == nil || p.madeByLock(p.r.Context(), p.old) && p.update == nil {
		code = http.StatusCreated
	}
	davxml.Respond(w, code, nil)
}

// replace puts the request body in place as the content of name, or as a part of it. It
// returns the new file's description.
func (p *put) replace(name string) (info fs.FileInfo, err error) {
	if err := p.find(name); err != nil {
		return nil, err
	}
	switch {
	case !p.brief():
	case p.h.node() == nil:
		return p.briefly(p.atOnce)
	case p.h.transacts(p.r.Context(), p.at) && p.unconditional():
		return p.briefly(p.inTransaction)
	}
	return p.inSteps()
}

// find finds the place of name, which must be able to be a file.
func (p *put) find(name string) (err error) {
	p.at, err = p.h.names().Place(p.r.Context(), name, true)
	switch {
	case err != nil:
		return err
	case p.at.Name == "/":
		return errIsCollection
	case namesCollection(p.r):
		return p.noFile()
	}
	return nil
}

// refuse returns err, and sets the headers that go with it.
func (p *put) refuse(w http.ResponseWriter, err error) error {
	switch {
	case errors.Is(err, errContentCoding):
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110 §15.5.16
	case errors.Is(err, errPatchType):
		w.Header().Set("Accept-Patch", patchType) // RFC 5789 §2.2
	case status.Of(err) == http.StatusRequestedRangeNotSatisfiable && p.old != nil:
		w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(p.old.Size(), 10))
	}
	return err
}

// briefly reads the whole body, and calls place with it.
func (p *put) briefly(place func(body []byte) (fs.FileInfo, error)) (fs.FileInfo, error) {
	buf := briefBuffers.Get().(*[briefBody]byte) //nolint:forcetypeassert // nothing else is in it
	defer briefBuffers.Put(buf)
	body := buf[:p.length]
	if _, err := io.ReadFull(p.r.Body, body); err != nil {
		return nil, cutOff(err)
	}
	return place(body)
}

// atOnce makes the change after it has the whole body. Then it needs only one check and one claim.
func (p *put) atOnce(body []byte) (fs.FileInfo, error) {
	c, err := p.claim(false)
	if err != nil {
		return nil, err
	}
	defer c.release()
	if err := p.begin(p.mayChange, true); err != nil {
		return nil, err
	}
	if _, err := p.content.Write(body); err != nil {
		return nil, unplaced(err)
	}
	return p.commit(c, func(old fs.FileInfo) error {
		if (old == nil) == (p.old == nil) {
			return nil
		}
		return p.mayChange(old)
	})
}

// inSteps makes all checks before it reads the body, so that a refused client gets no
// 100 (Continue). The body may take hours, so inSteps repeats the checks after it. With other
// nodes, every body is received so: what gets the name must exist before the claim.
func (p *put) inSteps() (fs.FileInfo, error) {
	if err := p.begin(p.mayBegin, false); err != nil {
		return nil, err
	}
	if err := p.receive(); err != nil {
		return nil, err
	}
	return p.finish(false)
}

// inTransaction stores the content before all checks, which it makes only once, in the transaction of the
// claim: that is two round trips to the database. It is for requests that are nearly always
// allowed.
func (p *put) inTransaction(body []byte) (fs.FileInfo, error) {
	if err := p.begin(nil, true); err != nil {
		return nil, err
	}
	if _, err := p.content.Write(body); err != nil {
		return nil, unplaced(err)
	}
	return p.finish(true)
}

// unconditional reports whether the client has set no condition, which would perhaps not hold.
func (p *put) unconditional() bool {
	return p.update == nil && p.kept == "" && p.r.Header["If"] == nil && !conditional(p.r)
}

// finish makes the claim and puts the content in place.
func (p *put) finish(late bool) (fs.FileInfo, error) {
	if err := storage.Prepare(p.r.Context(), p.content); err != nil {
		return nil, unplaced(err)
	}
	c, err := p.claim(late)
	if err != nil {
		return nil, err
	}
	defer c.release()
	return p.commit(c, p.mayChange)
}

func (p *put) claim(late bool) (*claim, error) {
	return p.r.claimNames(intent{brief: p.h.transacts(p.r.Context(), p.at), late: late}, operation.Scope{Name: p.at.Key})
}

// begin opens the replacement that receives the content, if check allows it. check may be nil.
func (p *put) begin(check func(old fs.FileInfo) error, brief bool) error {
	begin := storage.Replacing{Perm: 0o666, Brief: brief, Modified: p.modified, Canonical: true, Kept: p.kept, From: p.from}
	if check != nil {
		begin.Check = p.asked(check)
	}
	if p.length >= spaceWorthAsking {
		begin.Size = p.length
	}
	if p.update != nil {
		begin.Patch = func(old fs.FileInfo) (int64, error) {
			offset, err := updateOffset(p.update, old)
			p.refused = err
			return offset, err
		}
	}
	content, err := storage.ReplaceFile(p.r.Context(), p.h.FileSystem, p.at.Name, begin)
	if err != nil {
		return p.failed(err)
	}
	p.content = content
	return nil
}

// asked returns check for the storage to call. It records the result in p.refused.
func (p *put) asked(check func(old fs.FileInfo) error) func(fs.FileInfo) error {
	return func(old fs.FileInfo) error {
		p.refused = check(old)
		return p.refused
	}
}

// mayBegin is mayChange for the time before the body. It also checks the free space.
func (p *put) mayBegin(old fs.FileInfo) error {
	if err := p.mayChange(old); err != nil {
		return err
	}
	return checkSpace(p.r.Context(), p.h.FileSystem, path.Dir(p.at.Name), p.length)
}

// mayChange checks locks and conditions. old is the existing file, or nil.
func (p *put) mayChange(old fs.FileInfo) error {
	p.old = old
	if old == nil && p.r.Method == methodPatch {
		return errNothingToPatch
	}
	if err := p.h.mayPlace(p.r.Context(), p.at.Asked, old != nil); err != nil {
		return err
	}
	header, err := p.r.conditionsIf()
	if err != nil {
		return err
	}
	// Without an old file, the collection gains a member.
	if _, err := p.r.permit(header, []locktable.Change{{Place: p.at, Membership: old == nil}}); err != nil {
		return err
	}
	return preconditions(p.r, old)
}

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
		return status.New(http.StatusBadRequest, fmt.Sprintf("the request body has %d bytes, but %d were announced", n, p.length))
	}
	return nil
}

// noFile returns the error for a PUT or PATCH to the URL of a collection.
func (p *put) noFile() error {
	info, err := p.h.names().Occupant(p.r.Context(), p.at.Name)
	switch {
	case err != nil:
		return err
	case info == nil && p.r.Method == methodPatch:
		return errNothingToPatch
	case info != nil && info.IsDir():
		return errIsCollection
	}
	return errNamesCollection
}
