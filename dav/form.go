package dav

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// maxField limits a field of a form, in bytes.
const maxField = 4 << 10

var errNoForm = status.New(http.StatusUnsupportedMediaType, "a form must be multipart/form-data")

// postForm carries out a form of a page in a browser without scripts, and sends the browser back
// to the page. The form has the fields of a multipart/form-data: "folder" creates a collection
// with this name, and "file" uploads a file. The field "replace" before the files allows to replace
// existing ones. CheckCross has refused forms of other sites.
func (h *Handler) postForm(w http.ResponseWriter, r *request) error {
	info, err := h.names().Stat(r.Context(), r.name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return status.New(http.StatusMethodNotAllowed, "POST is not supported here; write a file with PUT")
	case r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "":
		return status.New(http.StatusForbidden, "neither Sec-Fetch-Site nor Origin says which page sent the form; a client that is not a browser must send PUT")
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return errNoForm
	}
	f := form{h: h, r: r}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = f.take(part)
		} else {
			err = cutOff(err)
		}
		if err != nil {
			return err
		}
	}
	w.Header().Set("Location", indexBase(r))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// hasForms reports whether collections accept forms.
func (h *Handler) hasForms() bool {
	_, off := h.Pages.(NoPages)
	return h.Pages != nil && !off
}

// form is a form that is being read.
type form struct {
	h       *Handler
	r       *request
	replace bool
}

// take carries out one field.
func (f *form) take(part *multipart.Part) error {
	switch part.FormName() {
	case "replace":
		f.replace = true
	case "folder":
		value, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			return cutOff(err)
		}
		if name := strings.TrimSpace(string(value)); name != "" {
			return f.as("MKCOL", name, http.NoBody, (*Handler).mkcol)
		}
	case "file":
		if part.FileName() != "" {
			return f.as(http.MethodPut, part.FileName(), part, (*Handler).put)
		}
	}
	return nil
}

// as serves the request that a WebDAV client would send for the member name.
func (f *form) as(method, name string, body io.Reader, serve func(*Handler, http.ResponseWriter, *request) error) error {
	if strings.ContainsAny(name, "/\\\x00") || name == "." || name == ".." {
		return status.New(http.StatusBadRequest, "a name can't contain a slash")
	}
	at := path.Join(f.r.URL.Path, name)
	r := f.r.Clone(f.r.Context())
	r.Method, r.Header, r.Body, r.ContentLength = method, http.Header{}, io.NopCloser(body), -1
	r.URL, r.TransferEncoding = &url.URL{Path: at}, nil
	if body == http.NoBody {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	if method == http.MethodPut && !f.replace {
		r.Header.Set("If-None-Match", "*")
	}
	as := &request{Request: r, h: f.h}
	var err error
	if as.name, err = f.h.resource(r.Context(), at); err != nil {
		return err
	}
	if f.h.ReadOnly {
		return status.New(http.StatusForbidden, "this share is read-only")
	}
	if storage.Reserved(as.name) {
		return reservedError(true)
	}
	if err = f.h.authorize(as); err != nil {
		return err
	}
	err = serve(f.h, &unsent{header: http.Header{}}, as)
	if status.Of(err) == http.StatusPreconditionFailed {
		return status.New(http.StatusConflict, "a file with this name exists already; nothing was changed")
	}
	return err
}

// unsent is a ResponseWriter for an answer that is not sent.
type unsent struct{ header http.Header }

// Header implements http.ResponseWriter.
func (u *unsent) Header() http.Header { return u.header }

// Write implements http.ResponseWriter.
func (u *unsent) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (u *unsent) WriteHeader(int) {}
