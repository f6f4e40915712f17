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

// uploadBuffer is how much of a body is in memory, in bytes.
const uploadBuffer = 64 << 10

var uploadBuffers = sync.Pool{New: func() any { return new([uploadBuffer]byte) }}

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
	errContentRange  = &statusError{status: http.StatusBadRequest, reason: "a PUT with the header Content-Range is a part of a file, and only whole files are taken"}
	errContentCoding = &statusError{status: http.StatusUnsupportedMediaType, reason: "the header Content-Encoding says that the content is encoded: send it as it is"}
	errEntityLength  = &statusError{status: http.StatusBadRequest, reason: "the header X-Expected-Entity-Length must be the length of the request body, in bytes"}
)

// announced reads what the header says about the body.
func (p *put) announced() error {
	header := p.r.Header
	// RFC 9110 §14.4: as the whole it would destroy the file.
	if _, partial := header["Content-Range"]; partial {
		return errContentRange
	}
	// Nothing would say so to who gets the file.
	for coding := range listElements(header.Values("Content-Encoding")) {
		if !strings.EqualFold(coding, "identity") {
			return errContentCoding
		}
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
	return nil
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
			status: http.StatusInsufficientStorage,
			reason: "the request body has " + strconv.FormatInt(length, 10) + " bytes, and there is room for " + strconv.FormatInt(available, 10),
		}
	}
	return nil
}
