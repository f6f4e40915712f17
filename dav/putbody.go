package dav

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/davd/davd/storage"
)

const (
	// uploadBuffer is how much of a body is in memory, in bytes.
	uploadBuffer = 256 << 10
	// briefBody is the longest body of which all is, in bytes.
	briefBody = 64 << 10
)

var (
	uploadBuffers = sync.Pool{New: func() any { return new([uploadBuffer]byte) }}
	briefBuffers  = sync.Pool{New: func() any { return new([briefBody]byte) }}
)

// writerOnly hides an io.ReaderFrom, which would make a buffer of its own: the
// kernel can't copy from a request body.
type writerOnly struct{ io.Writer }

// bodyReader tells the errors of a request body from those of the storage.
type bodyReader struct {
	body io.Reader
	err  error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// cutOff makes err, with which a request body ended, fit for the client, if it
// still listens.
func cutOff(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &statusError{
			status: http.StatusRequestEntityTooLarge,
			reason: "the request body has more than the " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes that it may have",
		}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &statusError{status: http.StatusRequestTimeout, reason: "the request body did not come in time; nothing was changed"}
	}
	return &statusError{status: http.StatusBadRequest, reason: "the request body was cut off; nothing was changed"}
}

var (
	errContentRange       = &statusError{status: http.StatusBadRequest, reason: "a PUT with the header Content-Range is a part of a file, and only whole files are taken"}
	errContentRangeLength = &statusError{status: http.StatusBadRequest, reason: "the request body has not the length that the header Content-Range says"}
	errContentCoding      = &statusError{status: http.StatusUnsupportedMediaType, reason: "the header Content-Encoding says that the content is encoded: send it as it is"}
	errChunk              = &statusError{status: http.StatusNotImplemented, reason: "the header OC-Chunked says that the content is a chunk of a file: only whole files are taken"}
	errEntityLength       = &statusError{status: http.StatusBadRequest, reason: "the header X-Expected-Entity-Length must be the length of the request body, in bytes"}
)

// announced reads what the header says about the body.
func (p *put) announced() error {
	header := p.r.Header
	if err := unencoded(header); err != nil {
		return err
	}
	if _, chunk := header["Oc-Chunked"]; chunk {
		return errChunk
	}
	p.length = p.r.ContentLength
	// What the Finder says of a body that comes in chunks. A proxy that can't
	// pass on those has been seen to send nothing instead.
	if value := header.Get("X-Expected-Entity-Length"); value != "" {
		length, err := strconv.ParseInt(value, 10, 64)
		if err != nil || length < 0 || (p.length >= 0 && length != p.length) {
			return errEntityLength
		}
		p.length = length
	}
	p.modified = parseMtime(header.Get("X-OC-Mtime"))
	if values, partial := header["Content-Range"]; partial {
		return p.partial(values)
	}
	return nil
}

// partial reads Content-Range (RFC 9110 §14.4): as the whole, the body would
// destroy the file.
func (p *put) partial(values []string) error {
	if !p.h.PartialPut {
		return errContentRange
	}
	update, err := parseContentRange(values)
	if err != nil {
		return err
	}
	length := update.last - update.first + 1
	if p.length >= 0 && p.length != length {
		return errContentRangeLength
	}
	p.update, p.length = update, length
	return nil
}

// unencoded makes sure that the content is as it is to be stored: nothing would
// say so to who gets the file.
func unencoded(header http.Header) error {
	for coding := range listElements(header.Values("Content-Encoding")) {
		if !strings.EqualFold(coding, "identity") {
			return errContentCoding
		}
	}
	return nil
}

// brief reports whether the body is so short that it is read before anything
// else is done. A client that waits for a 100 (Continue) is asked for none that
// is refused (RFC 9110 §10.1.1).
func (p *put) brief() bool {
	length := p.r.ContentLength
	return length >= 0 && length <= briefBody && p.r.Header.Get("Expect") == ""
}

// spaceWorthAsking is how long a body must be for the free space to be asked
// for before it is read, in bytes. For less, that costs more than it saves.
const spaceWorthAsking = 64 << 10

// checkSpace refuses a body for which there is no room in collection, where the
// storage knows.
func (h *Handler) checkSpace(ctx context.Context, collection string, length int64) error {
	if length < spaceWorthAsking {
		return nil
	}
	_, available, err := storage.Space(ctx, h.FileSystem, collection)
	if err == nil && available < length {
		return &statusError{
			status: http.StatusInsufficientStorage, condition: conditionDiskSpace,
			reason: "the request body has " + strconv.FormatInt(length, 10) + " bytes, and there is room for " + strconv.FormatInt(available, 10),
		}
	}
	return nil
}
