package dav

import (
	"context"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/requestbody"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/uploads"
)

// UploadName is the reserved name of the collection whose members are the upload resources of
// uploads in parts (draft-ietf-httpbis-resumable-upload). It is directly below Prefix.
const UploadName = ".davd-uploads"

// partType is the media type of a PATCH that adds to an upload.
const partType = "application/partial-upload"

var (
	errPartType      = status.New(http.StatusUnsupportedMediaType, "a PATCH of an upload must have the Content-Type "+partType)
	errPartHeaders   = status.New(http.StatusBadRequest, "a PATCH of an upload needs the headers Upload-Offset and Upload-Complete")
	errUploadMethod  = status.New(http.StatusMethodNotAllowed, "an upload has only HEAD, PATCH, DELETE and OPTIONS")
	errUploadCluster = status.New(http.StatusNotImplemented, "this server is one of several that share files, and accepts no uploads in parts: send the whole file in one request")
	errUploadDraft   = status.New(http.StatusNotImplemented, "this server implements version "+field.UploadVersion+" of uploads in parts: send the whole file in one request")
)

const uploadMethods = "DELETE, HEAD, OPTIONS, PATCH"

// uploadID returns the ID in the URL path of an upload resource. ok is false for any other path.
func (h *Handler) uploadID(ctx context.Context, urlPath string) (id string, ok bool) {
	if !strings.Contains(urlPath, UploadName) {
		return "", false
	}
	name, err := h.name(ctx, urlPath)
	if err != nil {
		return "", false
	}
	id, ok = strings.CutPrefix(name, "/"+UploadName+"/")
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// uploadHref returns the URL path of an upload resource.
func (h *Handler) uploadHref(ctx context.Context, id string) string {
	return h.href(ctx, "/"+UploadName+"/"+id, false)
}

// serveUpload serves an upload resource.
func (h *Handler) serveUpload(w http.ResponseWriter, r *http.Request, id string) error {
	if h.node() != nil {
		return errUploadCluster
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", uploadMethods)
		w.Header().Set("Accept-Patch", partType)
		h.setUploadLimit(w, h.uploadAge())
		return succeed(w, http.StatusNoContent)
	}
	serve, writes := (*Handler).headUpload, r.Method != http.MethodHead
	switch r.Method {
	case http.MethodHead:
	case methodPatch:
		serve = (*Handler).patchUpload
	case http.MethodDelete:
		serve = (*Handler).cancelUpload
	default:
		w.Header().Set("Allow", uploadMethods)
		return errUploadMethod
	}
	if h.ReadOnly && writes {
		return status.New(http.StatusForbidden, "this share is read-only")
	}
	u, err := h.findUpload(r.Context(), id)
	if err != nil {
		return h.uploadRefused(r, err)
	}
	if err := u.take(r.Context()); err != nil {
		return err
	}
	defer u.giveBack()
	req, release := h.pinned(r, false)
	defer release()
	return serve(h, w, req, u)
}

// uploadRefused returns err. A client without a name may be a user whose upload it is.
func (h *Handler) uploadRefused(r *http.Request, err error) error {
	if h.Challenge != nil && storage.PrincipalOf(r.Context()) == "" && errors.Is(err, errNoUpload) {
		return storage.Refused("access", r.URL.Path, true)
	}
	return err
}

func (h *Handler) setUploadLimit(w http.ResponseWriter, left time.Duration) {
	w.Header().Set(field.UploadLimit, field.FormatUploadLimit(h.Limits.UploadSize, left))
}

// setUploadState describes the upload in the headers of an answer.
func (h *Handler) setUploadState(w http.ResponseWriter, s uploads.Session) {
	w.Header().Set(field.UploadOffset, strconv.FormatInt(s.Offset, 10))
	w.Header().Set(field.UploadComplete, field.FormatUploadComplete(s.Complete))
	if s.Length >= 0 {
		w.Header().Set(field.UploadLength, strconv.FormatInt(s.Length, 10))
	}
	h.setUploadLimit(w, time.Until(s.Expires))
}

// headUpload tells how much has arrived (draft, section Offset Retrieval).
func (h *Handler) headUpload(w http.ResponseWriter, r *request, u *upload) error {
	s, err := h.checkedUpload(r.Context(), u)
	if err != nil {
		return err
	}
	h.setUploadState(w, s)
	w.Header().Set("Cache-Control", "no-store")
	return succeed(w, http.StatusNoContent)
}

// checkedUpload returns the record of u if its content exists, or is in place. Otherwise it ends u.
func (h *Handler) checkedUpload(ctx context.Context, u *upload) (uploads.Session, error) {
	s := u.state()
	if s.Complete {
		return s, nil
	}
	ctx = storage.Unrestricted(ctx)
	info, err := storage.Lstat(ctx, h.FileSystem, path.Join(path.Dir(s.Name), s.Stage))
	switch {
	case err == nil && info.Size() >= s.Offset:
		return s, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return s, err
	}
	// A process may have been killed between the commit and the note about it.
	if placed, err := h.FileSystem.Stat(ctx, s.Name); s.Placing && err == nil && placed.Size() == s.Offset {
		err := u.change(ctx, h, func(s *uploads.Session) { s.Complete, s.Length = true, s.Offset })
		return u.state(), err
	}
	return s, errors.Join(errNoUpload, h.endUpload(ctx, u))
}

// cancelUpload ends an upload (draft, section Upload Cancellation).
func (h *Handler) cancelUpload(w http.ResponseWriter, r *request, u *upload) error {
	if err := h.endUpload(r.Context(), u); err != nil {
		return err
	}
	return succeed(w, http.StatusNoContent)
}

// patchUpload adds a part (draft, section Upload Append).
func (h *Handler) patchUpload(w http.ResponseWriter, r *request, u *upload) error {
	about := h.emission(r.Request, methodPatch, u.state().Asked)
	about.Complete = requestbody.From(r.Request).Complete
	x := interim.Hold(w, about, h.stallTimeout(), &h.kept().answers)
	defer x.Abandon() // if it panics
	err := h.appendUpload(x, r, u)
	x.Quiet()
	if !status.Answered(err) {
		h.respondErrorTo(x, r.Request, err)
	}
	return status.Logged(errors.Join(err, x.Finish()))
}

func (h *Handler) appendUpload(w http.ResponseWriter, r *request, u *upload) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != partType {
		w.Header().Set("Accept-Patch", partType)
		return errPartType
	}
	wanted := field.ParseUpload(r.Header)
	if wanted.Offset < 0 || !wanted.Given {
		return errPartHeaders
	}
	s, err := h.checkedUpload(r.Context(), u)
	if err != nil {
		return err
	}
	if s.Complete {
		h.setUploadState(w, s)
		return completedProblem()
	}
	if wanted.Offset != s.Offset {
		w.Header().Set(field.UploadOffset, strconv.FormatInt(s.Offset, 10))
		return offsetProblem(s.Offset, wanted.Offset)
	}
	total, err := totalLength(wanted, s, r.ContentLength)
	if err == nil {
		err = h.checkUploadSize(w, max(total, s.Offset+r.ContentLength))
	}
	if err == nil && total != s.Length {
		err = u.change(r.Context(), h, func(s *uploads.Session) { s.Length = total })
	}
	if err != nil {
		return err
	}
	p := &put{h: h, r: h.putOf(r, s)}
	p.modified = field.ParseMtime(p.r.Header.Get("X-OC-Mtime"))
	if p.at, err = h.names().Place(r.Context(), s.Asked, true); err != nil {
		return err
	}
	if p.at.Name != s.Name {
		return status.New(http.StatusConflict, "the name of the file leads to another place than when the upload began")
	}
	if err := h.authorize(p.r); err != nil {
		return err
	}
	a := &appending{put: p, w: w, upload: u, wanted: wanted}
	return a.serve()
}

// totalLength returns the length of the whole file, or -1 if it is unknown. body is that of the
// request's body, or -1.
func totalLength(wanted field.Upload, s uploads.Session, body int64) (int64, error) {
	total := s.Length
	for _, said := range [...]int64{wanted.Length, remaining(wanted, s.Offset, body)} {
		if said >= 0 && total >= 0 && said != total {
			return total, lengthProblem("the length of the file is " + strconv.FormatInt(total, 10) + " bytes, but this request means " + strconv.FormatInt(said, 10))
		}
		total = max(total, said)
	}
	if total >= 0 && (total < s.Offset || body > total-s.Offset) {
		return total, lengthProblem("this request exceeds the length of the file, which is " + strconv.FormatInt(total, 10) + " bytes")
	}
	return total, nil
}

// remaining returns the length of the file according to a body that completes it.
func remaining(wanted field.Upload, offset, body int64) int64 {
	if !wanted.Complete || body < 0 {
		return -1
	}
	return offset + body
}

func (h *Handler) checkUploadSize(w http.ResponseWriter, size int64) error {
	if most := h.Limits.UploadSize; most > 0 && size > most {
		h.setUploadLimit(w, h.uploadAge())
		return status.New(http.StatusRequestEntityTooLarge, "the largest file that this server accepts in parts has "+strconv.FormatInt(most, 10)+" bytes")
	}
	return nil
}

// keptHeaders are the fields of the first request that apply to the whole file.
var keptHeaders = [...]string{"If", "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since", "X-Oc-Mtime"}

// maxKeptHeaders limits their length, in bytes.
const maxKeptHeaders = 8 << 10

func keptHeader(header http.Header) (http.Header, error) {
	kept, size := http.Header{}, 0
	for _, name := range keptHeaders {
		for _, value := range header[name] {
			kept[name] = append(kept[name], value)
			size += len(name) + len(value)
		}
	}
	if size > maxKeptHeaders {
		return nil, status.New(http.StatusRequestHeaderFieldsTooLarge, "the conditions of an upload in parts are longer than "+strconv.Itoa(maxKeptHeaders)+" bytes")
	}
	return kept, nil
}

// putOf returns the PUT of the whole file that r continues. A header If of r replaces that of the
// first request, because the client may have another lock now.
func (h *Handler) putOf(r *request, s uploads.Session) *request {
	of := *r.Request
	of.Method, of.Header = http.MethodPut, r.Header.Clone()
	for _, name := range keptHeaders {
		if name == "If" && len(of.Header[name]) > 0 {
			continue
		}
		if delete(of.Header, name); len(s.Header[name]) > 0 {
			of.Header[name] = s.Header[name]
		}
	}
	u := *r.URL
	u.Path, u.RawPath = h.prefix(r.Context())+h.shown(r.Context(), s.Asked), ""
	of.URL = &u
	return &request{Request: &of, h: h, name: s.Asked}
}

// accepted answers a request that has added a part of a file.
func (a *appending) accepted() {
	s := a.upload.state()
	a.h.setUploadState(a.w, s)
	if a.created {
		a.w.Header().Set("Location", a.h.uploadHref(a.r.Context(), s.ID))
		davxml.Respond(a.w, http.StatusCreated, nil)
		return
	}
	davxml.Respond(a.w, http.StatusNoContent, nil)
}
