package dav

import (
	"io/fs"
	"mime"
	"net/http"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

const methodPatch = http.MethodPatch

// patchType is the media type of a PATCH, as defined by sabre/dav
// (https://sabre.io/dav/http-patch/): the body replaces the bytes that the header
// X-Update-Range names. Unlike sabre/dav, davd refuses a range that begins beyond the
// end of the file, because the gap would mean that a part was lost.
const patchType = "application/x-sabredav-partialupdate"

// patchClass announces this PATCH in the header DAV.
const patchClass = "sabredav-partialupdate"

var (
	errPatchType         = status.New(http.StatusUnsupportedMediaType, "a PATCH must have the Content-Type "+patchType)
	errPatchLength       = status.New(http.StatusLengthRequired, "a PATCH needs the header Content-Length")
	errNothingToPatch    = status.New(http.StatusNotFound, "there is no file to patch")
	errUpdateRangeLength = status.New(http.StatusRequestedRangeNotSatisfiable, "the range in the header X-Update-Range and the request body differ in length")
	errRangeOutside      = status.New(http.StatusRequestedRangeNotSatisfiable, "the range must begin within the file or at its end")
	errRangeShorter      = status.New(http.StatusConflict, "the existing file is longer than the LENGTH in the header Content-Range: delete it before you send the first part, or send the whole file")
	errChangedMeanwhile  = status.New(http.StatusConflict, "the file was changed during this request; the request had no effect")
)

// patch replaces a part of the file name by the request body, or appends the body
// (RFC 5789 §2). It builds a new file from the old one and the body, and puts it in
// place in one step, as a PUT does. If the file changes during the request, the
// request fails with 409.
func (h *Handler) patch(w http.ResponseWriter, r *request) error {
	p := &put{h: h, r: r}
	if err := p.announcedPatch(); err != nil {
		return p.refuse(w, err)
	}
	return p.serve(w, r.name)
}

// announcedPatch reads the headers that describe the body.
func (p *put) announcedPatch() error {
	header := p.r.Header
	if mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || mediaType != patchType {
		return errPatchType
	}
	if err := unencoded(header); err != nil {
		return err
	}
	if p.length = p.r.ContentLength; p.length < 0 {
		return errPatchLength
	}
	var err error
	p.update, err = field.ParseUpdateRange(header.Values("X-Update-Range"))
	if err == nil && p.update.Last >= 0 && p.update.Last-p.update.First+1 != p.length {
		err = errUpdateRangeLength
	}
	p.modified = field.ParseMtime(header.Get("X-OC-Mtime"))
	return err
}

// updateOffset returns the position in old at which the range u begins. old is nil if the file
// does not exist.
func updateOffset(u *field.UpdateRange, old fs.FileInfo) (int64, error) {
	var size int64
	if old != nil {
		size = old.Size()
	}
	offset := u.First
	if u.Suffix >= 0 {
		offset = size - u.Suffix
	}
	if offset < 0 || offset > size {
		return 0, errRangeOutside
	}
	if u.Whole > 0 && size > u.Whole {
		return 0, errRangeShorter
	}
	return offset, nil
}
