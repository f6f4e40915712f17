package dav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

const (
	// uploadBuffer is how much of a long body is in memory at a time, in bytes.
	uploadBuffer = 256 << 10
	// briefBody is the longest body that is read into memory as a whole, in bytes.
	briefBody = 64 << 10
)

var (
	uploadBuffers = sync.Pool{New: func() any { return new([uploadBuffer]byte) }}
	briefBuffers  = sync.Pool{New: func() any { return new([briefBody]byte) }}
)

// writerOnly hides an io.ReaderFrom, which would allocate its own buffer. It would gain
// nothing, because the kernel can't copy from a request body.
type writerOnly struct{ io.Writer }

// bodyReader remembers the error of a request body, to tell it from one of the storage.
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

var (
	errContentRange       = status.New(http.StatusBadRequest, "the header Content-Range says that the content is a part of a file: this server accepts only whole files")
	errContentRangeLength = status.New(http.StatusBadRequest, "the range in the header Content-Range and the request body differ in length")
	errContentCoding      = status.New(http.StatusUnsupportedMediaType, "the header Content-Encoding says that the content is encoded: send it without encoding")
	errChunk              = status.New(http.StatusNotImplemented, "the header OC-Chunked says that the content is a chunk of a file: this server accepts only whole files")
	errEntityLength       = status.New(http.StatusBadRequest, "the header X-Expected-Entity-Length must be the length of the request body, in bytes")
)

// announced reads the headers that describe the body.
func (p *put) announced() error {
	header := p.r.Header
	if err := unencoded(header); err != nil {
		return err
	}
	if _, chunk := header["Oc-Chunked"]; chunk {
		return errChunk
	}
	p.length = p.r.ContentLength
	// The Finder sends this header with a body in chunks. Some proxies can't forward
	// chunks and send an empty body, which the length reveals.
	if value := header.Get("X-Expected-Entity-Length"); value != "" {
		length, err := strconv.ParseInt(value, 10, 64)
		if err != nil || length < 0 || (p.length >= 0 && length != p.length) {
			return errEntityLength
		}
		p.length = length
	}
	p.modified = field.ParseMtime(header.Get("X-OC-Mtime"))
	if values, partial := header["Content-Range"]; partial {
		return p.partial(values)
	}
	return nil
}

// partial reads Content-Range (RFC 9110 §14.4). Without PartialPut it refuses the
// request, because storing the part as the whole file would destroy the file.
func (p *put) partial(values []string) error {
	if !p.h.PartialPut {
		return errContentRange
	}
	update, err := field.ParseContentRange(values)
	if err != nil {
		return err
	}
	length := update.Last - update.First + 1
	if p.length >= 0 && p.length != length {
		return errContentRangeLength
	}
	p.update, p.length = update, length
	return nil
}

// unencoded refuses a content coding: the server does not store the coding, so a GET
// could not announce it.
func unencoded(header http.Header) error {
	for coding := range field.Elements(header.Values("Content-Encoding")) {
		if !strings.EqualFold(coding, "identity") {
			return errContentCoding
		}
	}
	return nil
}

// brief reports whether the body is so short that it is read before the checks. It is
// not for a client that waits for a 100 (Continue), which must not get one if the
// request is refused (RFC 9110 §10.1.1).
func (p *put) brief() bool {
	length := p.r.ContentLength
	return length >= 0 && length <= briefBody && p.r.Header.Get("Expect") == ""
}

// spaceWorthAsking is the length in bytes from which a body is checked against the free
// space before it is read. For a shorter body the check costs more than it saves.
const spaceWorthAsking = 64 << 10

// checkSpace refuses a body that does not fit into the free space of collection, if the
// storage knows the free space.
func checkSpace(ctx context.Context, fsys storage.FS, collection string, length int64) error {
	if length < spaceWorthAsking {
		return nil
	}
	_, available, err := storage.Space(ctx, fsys, collection)
	if err == nil && available < length {
		return fmt.Errorf("%w: %w", &status.Error{
			Status: http.StatusInsufficientStorage, Condition: status.DiskSpace,
			Reason: "the request body has " + strconv.FormatInt(length, 10) + " bytes, but there is room for only " + strconv.FormatInt(available, 10),
		}, syscall.ENOSPC) // the log shows it as a full disk
	}
	return nil
}
