package dav

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// get serves GET and HEAD (RFC 4918 §9.4, RFC 9110 §9.3.1, §9.3.2).
func (h *Handler) get(w http.ResponseWriter, r *request) error {
	// The entity tag must belong to the content that is sent, even if the file is replaced
	// meanwhile. So the file is opened first.
	f, info, err := storage.OpenRead(r.Context(), h.FileSystem, r.name)
	if err != nil {
		if _, statErr := h.names().Stat(r.Context(), r.name); status.Of(statErr) == http.StatusNotFound {
			err = statErr
		}
		return err
	}
	defer f.Close()
	if err := h.mayRead(w, r, r.name, info); err != nil {
		return err
	}
	_, part := r.Header["Range"]
	switch {
	case r.Method == http.MethodHead:
		return h.head(w, r, info)
	case info.IsDir():
		return h.collection(w, r, info)
	case part:
		return servePart(w, r, f, info)
	}
	return serveWhole(w, f, info)
}

// serveWhole serves all of f, which info describes.
func serveWhole(w http.ResponseWriter, f storage.File, info fs.FileInfo) error {
	if info.Size() <= smallFile {
		return serveSmall(w, f, info)
	}
	if err := setSniffedType(w.Header(), f); err != nil {
		return err
	}
	setFileHeaders(w.Header(), info)
	return status.Logged(send(w, f, info.Size()))
}

// servePart serves the parts that the header Range asks for (RFC 9110 §14.2).
func servePart(w http.ResponseWriter, r *request, f storage.File, info fs.FileInfo) error {
	header := w.Header()
	if !rangeHolds(r, header.Get("ETag"), info) {
		return serveWhole(w, f, info)
	}
	ranges, err := requestedRanges(r.Header["Range"], info.Size())
	if err != nil {
		unsetContent(header)
		header.Set("Content-Range", "bytes */"+strconv.FormatInt(info.Size(), 10))
		return err
	}
	if len(ranges) == 0 {
		return serveWhole(w, f, info)
	}
	if err := setSniffedType(header, f); err != nil {
		return err
	}
	if len(ranges) > 1 {
		serveParts(w, r, f, info, ranges)
		return nil
	}
	if _, err := f.Seek(ranges[0].first, io.SeekStart); err != nil {
		unsetContent(header)
		return err
	}
	setFileHeaders(header, info)
	header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", ranges[0].first, ranges[0].first+ranges[0].length-1, info.Size()))
	header.Set("Content-Length", strconv.FormatInt(ranges[0].length, 10))
	w.WriteHeader(http.StatusPartialContent)
	return status.Logged(send(w, f, ranges[0].length))
}

// serveParts serves several ranges as multipart/byteranges (RFC 9110 §14.6).
func serveParts(w http.ResponseWriter, r *request, f storage.File, info fs.FileInfo, ranges []byteRange) {
	// The conditions were evaluated before, so ServeContent gets only the Range.
	get := &http.Request{Method: http.MethodGet, Header: http.Header{"Range": {rangeHeader(ranges)}}}
	setLastModified(w.Header(), info)
	http.ServeContent(w, get.WithContext(r.Context()), "", time.Time{}, f)
}

// send sends the next n bytes of f. It must get the connection's own ResponseWriter and
// the storage's own file, so that the kernel can send the file directly.
func send(w io.Writer, f io.Reader, n int64) error {
	_, err := storage.SendTo(w, f, n)
	if errors.Is(err, io.EOF) {
		return errCutShort
	}
	return err
}

// errCutShort only appears in the log. net/http closes the connection, so the client
// notices that the file is incomplete.
var errCutShort = errors.New("the file became shorter while it was sent")

// setSniffedType sets the content type from the content of f, if the name did not
// reveal one. f must be at its beginning.
func setSniffedType(header http.Header, f io.ReadSeeker) error {
	if header.Get("Content-Type") != "" {
		return nil
	}
	found, err := browser.Sniff(f)
	if err != nil {
		unsetContent(header)
		return err
	}
	header.Set("Content-Type", found)
	browser.SetContentPolicy(header, found)
	return nil
}

// unsetContent removes the headers that describe a file's content, because an error is
// sent instead.
func unsetContent(header http.Header) {
	header.Del("ETag")
	header.Del("Content-Disposition")
}

// smallFile is the maximum length of a file that is read into memory, in bytes. Such a
// file fits into one packet with its header, which is faster than the two packets that
// the kernel would send.
const smallFile = 8 << 10

var smallFiles = sync.Pool{New: func() any { return new([smallFile]byte) }}

// serveSmall serves all of f, which info describes, from memory.
func serveSmall(w http.ResponseWriter, f io.Reader, info fs.FileInfo) error {
	buf := smallFiles.Get().(*[smallFile]byte) //nolint:forcetypeassert // nothing else is in it
	defer smallFiles.Put(buf)
	content := buf[:info.Size()]
	if _, err := io.ReadFull(f, content); err != nil {
		unsetContent(w.Header())
		return err
	}
	header := w.Header()
	if header.Get("Content-Type") == "" {
		found := http.DetectContentType(content)
		header.Set("Content-Type", found)
		browser.SetContentPolicy(header, found)
	}
	setFileHeaders(header, info)
	_, err := w.Write(content)
	return status.Logged(err)
}

// acceptRanges is shared by all responses. Its capacity is limited on use, so that
// adding to it makes a copy.
var acceptRanges = []string{"bytes"}

func setFileHeaders(header http.Header, info fs.FileInfo) {
	header["Accept-Ranges"] = acceptRanges[:1:1]
	header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	setLastModified(header, info)
}

// head reads nothing of the file, which was opened so that a client that may not
// GET it gets the same error here. It leaves out a content type that GET would find in
// the content, and ignores Range (RFC 9110 §9.3.2, §14.2).
func (h *Handler) head(w http.ResponseWriter, r *request, info fs.FileInfo) error {
	if info.IsDir() {
		setIndexHeaders(w.Header(), info)
		// Every index is long enough to be compressed.
		h.compressor(w, r.Request).Announce()
	} else {
		setFileHeaders(w.Header(), info)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// mayRead evaluates the conditions of a GET or HEAD. If they hold, it sets the headers
// that both have in common.
func (h *Handler) mayRead(w http.ResponseWriter, r *request, name string, info fs.FileInfo) error {
	err := r.conditions(info)
	unmodified := status.Of(err) == http.StatusNotModified
	if err != nil && !unmodified {
		return err
	}
	// A 304 has the headers that a cache needs (RFC 9110 §15.4.5), and those that it should
	// update (RFC 9111 §3.2).
	header := w.Header()
	header.Set("ETag", place.EntityTag(r.Context(), info))
	if info.IsDir() {
		r.setContentLocation(header, name)
		setIndexPolicy(header, h.Compress)
		return err
	}
	found := browser.ContentType(r.Context(), name, info)
	if found != "" && !unmodified {
		header.Set("Content-Type", found)
	}
	browser.SetContentPolicy(header, found)
	return err
}

// post serves forms of pages. Otherwise it refuses POST, because nothing here processes it (RFC
// 4918 §9.5).
func (h *Handler) post(w http.ResponseWriter, r *request) error {
	if h.hasForms() {
		return h.postForm(w, r)
	}
	if _, err := h.names().Stat(r.Context(), r.name); err != nil {
		return err
	}
	return status.New(http.StatusMethodNotAllowed, "POST is not supported here; write a file with PUT")
}
