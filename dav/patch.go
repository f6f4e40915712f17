package dav

import (
	"mime"
	"net/http"
)

const methodPatch = http.MethodPatch

// patchType is the media type of a PATCH: the body takes the place of the bytes
// that the header X-Update-Range names, as sabre/dav has it
// (https://sabre.io/dav/http-patch/). Unlike there, nothing may begin beyond the
// end of the file: the hole would be a chunk that got lost.
const patchType = "application/x-sabredav-partialupdate"

// patchClass says in the header DAV that PATCH does that.
const patchClass = "sabredav-partialupdate"

var (
	errPatchType        = &statusError{status: http.StatusUnsupportedMediaType, reason: "a PATCH must have the Content-Type " + patchType}
	errPatchLength      = &statusError{status: http.StatusLengthRequired, reason: "a PATCH needs the header Content-Length"}
	errNothingToPatch   = &statusError{status: http.StatusNotFound, reason: "there is no file to patch"}
	errChangedMeanwhile = &statusError{status: http.StatusConflict, reason: "the file was changed while the request was under way; this one has changed nothing"}
)

// servePatch puts the request body in the place of a part of the file name
// (RFC 5789 §2), or at its end. The file is made anew, from the old one and the
// body, and is as a PUT's whole or not at all; what was changed in between is a
// 409.
func (h *Handler) servePatch(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	p := &put{h: h, r: r}
	if err := p.announcedPatch(); err != nil {
		return p.refuse(w, err)
	}
	return p.serve(w, name)
}

// announcedPatch reads what the header says about the body.
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
	p.update, err = parseUpdateRange(header.Values("X-Update-Range"))
	if err == nil && p.update.last >= 0 && p.update.last-p.update.first+1 != p.length {
		err = errUpdateRangeLength
	}
	p.modified = parseMtime(header.Get("X-OC-Mtime"))
	return err
}
