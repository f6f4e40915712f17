package dav

import (
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"

	"github.com/davd/davd/storage"
)

// serveGet serves GET and HEAD (RFC 4918 §9.4, RFC 9110 §9.3.1, §9.3.2).
func (h *Handler) serveGet(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if r.Method == http.MethodHead {
		return h.serveHead(w, r, name)
	}
	// The entity tag must be that of the content which is sent, not of what
	// replaces it meanwhile.
	f, info, err := storage.OpenRead(r.Context(), h.FileSystem, name)
	if err != nil {
		if _, statErr := h.stat(r.Context(), name); statusOf(statErr) == http.StatusNotFound {
			err = statErr
		}
		return statusOf(err), err
	}
	defer f.Close()
	if err := h.mayRead(w, r, name, info); err != nil {
		return statusOf(err), err
	}
	if info.IsDir() {
		return h.serveIndex(w, r, name, info)
	}
	if info.Size() <= smallFile && r.Header.Get("Range") == "" {
		return serveSmall(w, f, info)
	}
	if w.Header().Get("Content-Type") == "" {
		found, err := sniff(f)
		if err != nil {
			w.Header().Del("ETag")
			return statusOf(err), err
		}
		w.Header().Set("Content-Type", found)
		setContentPolicy(w.Header(), found)
	}
	// The connection's ResponseWriter and the storage's file meet there as they
	// are, so that the kernel can send the one to the other.
	http.ServeContent(w, unconditional(r), "", info.ModTime(), f)
	return 0, nil
}

// smallFile is how long a file may be to be read, in bytes: with its header in
// one packet it is sent sooner than the kernel would send it in two.
const smallFile = 8 << 10

var smallFiles = sync.Pool{New: func() any { return new([smallFile]byte) }}

// serveSmall serves the whole of f, which info describes.
func serveSmall(w http.ResponseWriter, f io.Reader, info fs.FileInfo) (status int, err error) {
	buf := smallFiles.Get().(*[smallFile]byte) //nolint:forcetypeassert // nothing else is in it
	defer smallFiles.Put(buf)
	content := buf[:info.Size()]
	if _, err := io.ReadFull(f, content); err != nil {
		w.Header().Del("ETag")
		return http.StatusInternalServerError, err
	}
	header := w.Header()
	if header.Get("Content-Type") == "" {
		found := http.DetectContentType(content)
		header.Set("Content-Type", found)
		setContentPolicy(header, found)
	}
	setFileHeaders(header, info)
	_, err = w.Write(content)
	return 0, err
}

func setFileHeaders(header http.Header, info fs.FileInfo) {
	header.Set("Accept-Ranges", "bytes")
	header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	header.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
}

// serveHead opens nothing. A type that GET would find in the content is left
// out, and a range means nothing here (RFC 9110 §9.3.2, §14.2).
func (h *Handler) serveHead(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	info, err := h.stat(r.Context(), name)
	if err != nil {
		return statusOf(err), err
	}
	if err := h.mayRead(w, r, name, info); err != nil {
		return statusOf(err), err
	}
	if info.IsDir() {
		setIndexHeaders(w.Header(), info)
	} else {
		setFileHeaders(w.Header(), info)
	}
	w.WriteHeader(http.StatusOK)
	return 0, nil
}

// mayRead evaluates the conditions of a GET or HEAD. When they hold it sets the
// headers that both have.
func (h *Handler) mayRead(w http.ResponseWriter, r *http.Request, name string, info fs.FileInfo) error {
	err := h.conditions(r, name, info)
	unmodified := statusOf(err) == http.StatusNotModified
	if err != nil && !unmodified {
		return err
	}
	// A 304 has the header that a cache is to know (RFC 9110 §15.4.5), or should
	// use from now on (RFC 9111 §3.2).
	header := w.Header()
	header.Set("ETag", entityTag(r.Context(), info))
	if info.IsDir() {
		h.setIndexPolicy(header)
		return err
	}
	found := contentType(r.Context(), name, info)
	if found != "" && !unmodified {
		header.Set("Content-Type", found)
	}
	setContentPolicy(header, found)
	return err
}

// unconditional returns r without the conditions, which have been evaluated.
func unconditional(r *http.Request) *http.Request {
	if !conditional(r) {
		return r
	}
	plain := r.WithContext(r.Context())
	plain.Header = r.Header.Clone()
	for _, header := range conditionHeaders {
		plain.Header.Del(header)
	}
	return plain
}

// servePost refuses: nothing here processes what is posted (RFC 4918 §9.5).
func (h *Handler) servePost(_ http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if _, err := h.stat(r.Context(), name); err != nil {
		return statusOf(err), err
	}
	return refuse(http.StatusMethodNotAllowed, "nothing here takes what is posted; a file is written with PUT")
}
