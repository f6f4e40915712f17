package proxy

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
)

// maxAnswer limits the content of an answer to a COPY, MOVE or DELETE, in bytes. It has to
// be in memory, because several clients may get it, and maybe later.
const maxAnswer = 256 << 10

// answer is the upstream's answer, as the error of a task.
type answer struct {
	status  int
	header  http.Header
	content bytes.Buffer
	tooLong bool
	// request is the ownerKey of the request that was passed on. Only that gets cookies.
	request any
}

// Header implements http.ResponseWriter, like the methods below.
func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	if code >= http.StatusOK && a.status == 0 {
		a.status = code
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.content.Len()+len(p) > maxAnswer {
		a.tooLong = true
		return len(p), nil
	}
	return a.content.Write(p)
}

// Flush implements http.Flusher.
func (*answer) Flush() {}

func (a *answer) result() error {
	if a.tooLong {
		return status.New(http.StatusBadGateway, fmt.Sprintf("the upstream answered %d, but its answer has more than %d KiB", a.status, maxAnswer>>10))
	}
	return a
}

func (a *answer) Error() string {
	return fmt.Sprintf("the upstream answered %d %s", a.status, http.StatusText(a.status))
}

// HTTPStatus is for status.Of.
func (a *answer) HTTPStatus() int { return a.status }

// write writes a for the request with the context ctx.
func (a *answer) write(ctx context.Context, w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		if name == "Set-Cookie" && ctx.Value(ownerKey{}) != a.request {
			continue
		}
		header[name] = values
	}
	header.Del("Content-Length") // the ResponseWriter knows it
	w.WriteHeader(a.status)
	_, _ = w.Write(a.content.Bytes()) // fails only if the client has gone
}
