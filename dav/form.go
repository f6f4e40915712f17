package dav

import (
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/origin"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

const (
	// maxField limits a field of a form, in bytes.
	maxField = 4 << 10
	// maxResults limits the files of a form whose client wants a result for each.
	maxResults = 1000
)

var (
	errNoForm       = status.New(http.StatusUnsupportedMediaType, "a form must be multipart/form-data")
	errManyResults  = status.New(http.StatusRequestEntityTooLarge, "a form with a result for each file may have 1000 files")
	errFormConflict = status.New(http.StatusConflict, "a file with this name exists already; nothing was changed")
)

// postForm carries out a form of a page in a browser, and sends the browser back to the page. The
// form has the fields of a multipart/form-data: "folder" creates a collection with this name, and
// "file" uploads a file. The field "replace" before the files allows to replace existing ones, and
// "modified" gives the next file a modification time, like the header X-OC-Mtime. CheckCross has
// refused forms of other sites.
//
// The first refusal ends the form, unless the client prefers application/json to HTML. Then the
// answer has the status of each file. The page sends many small files in this way.
func (h *Handler) postForm(w http.ResponseWriter, r *request) error {
	info, err := h.names().Stat(r.Context(), r.name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return status.New(http.StatusMethodNotAllowed, "POST is not supported here; write a file with PUT")
	}
	if err := origin.CheckForm(r.Request); err != nil {
		return err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return errNoForm
	}
	f := form{h: h, r: r, each: field.PreferredType(r.Header["Accept"], "text/html", "application/json") == "application/json"}
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
	if f.each {
		return f.answer(w)
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
	// modified is the value of X-OC-Mtime for the next file.
	modified string
	// each says that the client wants the results of all files. logged are the errors that the log
	// must have.
	each    bool
	results []formResult
	logged  error
}

// formResult is the result of a file.
type formResult struct {
	Name   string `json:"name"`
	Status int    `json:"status"`
}

// answer sends the results.
func (f *form) answer(w http.ResponseWriter) error {
	content, err := json.Marshal(struct {
		Files []formResult `json:"files"`
	}{f.results})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(content)
	return status.Logged(errors.Join(f.logged, err))
}

// take carries out one field.
func (f *form) take(part *multipart.Part) error {
	switch part.FormName() {
	case "replace":
		f.replace = true
	case "modified":
		value, err := readField(part)
		f.modified = value
		return err
	case "folder":
		name, err := readField(part)
		if err != nil || name == "" {
			return err
		}
		_, err = f.as("MKCOL", name, http.NoBody, (*Handler).mkcol)
		return err
	case "file":
		if part.FileName() != "" {
			return f.file(part)
		}
	}
	return nil
}

// readField returns the value of a field.
func readField(part *multipart.Part) (string, error) {
	value, err := io.ReadAll(io.LimitReader(part, maxField))
	if err != nil {
		return "", cutOff(err)
	}
	return strings.TrimSpace(string(value)), nil
}

// file uploads a file. If the client wants all results, only a form that has not arrived ends.
func (f *form) file(part *multipart.Part) error {
	if f.each && len(f.results) == maxResults {
		return errManyResults
	}
	code, err := f.as(http.MethodPut, part.FileName(), part, (*Handler).put)
	f.modified = ""
	if !f.each {
		if status.Of(err) == http.StatusPreconditionFailed {
			return errFormConflict
		}
		return err
	}
	if err != nil && !status.Answered(err) {
		code = status.Of(err)
	}
	if code >= http.StatusInternalServerError || status.Answered(err) {
		f.logged = errors.Join(f.logged, err)
	}
	f.results = append(f.results, formResult{part.FileName(), code})
	return nil
}

// as serves the request that a WebDAV client would send for the member name. It returns the status
// that the client would get without an error.
func (f *form) as(method, name string, body io.Reader, serve func(*Handler, http.ResponseWriter, *request) error) (code int, err error) {
	if strings.ContainsAny(name, "/\\\x00") || name == "." || name == ".." {
		return 0, status.New(http.StatusBadRequest, "a name can't contain a slash")
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
	if f.modified != "" {
		r.Header.Set("X-OC-Mtime", f.modified)
	}
	as := &request{Request: r, h: f.h}
	if as.name, err = f.h.resource(r.Context(), at); err != nil {
		return 0, err
	}
	if f.h.ReadOnly {
		return 0, status.New(http.StatusForbidden, "this share is read-only")
	}
	if storage.Reserved(as.name) {
		return 0, reservedError(true)
	}
	if err = f.h.authorize(as); err != nil {
		return 0, err
	}
	answer := &unsent{header: http.Header{}}
	err = serve(f.h, answer, as)
	return answer.code, err
}

// unsent is a ResponseWriter for an answer that is not sent.
type unsent struct {
	header http.Header
	code   int
}

// Header implements http.ResponseWriter.
func (u *unsent) Header() http.Header { return u.header }

// Write implements http.ResponseWriter.
func (u *unsent) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (u *unsent) WriteHeader(code int) { u.code = code }
