package davclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// uploadVersion is the interoperability version of the draft that [Client.Upload] implements.
const uploadVersion = "8"

// These are the header fields of uploads in parts (draft-ietf-httpbis-resumable-upload).
const (
	uploadComplete = "Upload-Complete"
	uploadOffset   = "Upload-Offset"
)

// UploadOptions are the options of [Client.Upload].
type UploadOptions struct {
	PutOptions

	// Attempts is how often the upload may break in succession without any progress. Zero means
	// 10.
	Attempts int
	// Pause is the time before the upload is continued. It doubles with each attempt without
	// progress, up to 30 times its length. Zero means a second.
	Pause time.Duration
	// Progress, if not nil, is called with the number of bytes that were sent. It decreases if
	// some of them have not arrived. There is only one call at a time.
	Progress func(sent int64)
}

// Upload is Put for content of o.Size bytes, which it can read again. If the connection breaks, it
// continues where the server has stopped, if the server supports that
// (draft-ietf-httpbis-resumable-upload). The file appears when it is complete. If the answer that says
// so is lost, created is false. Any other server sees an ordinary PUT.
//
// If ctx ends, Upload cancels the upload on the server.
func (c *Client) Upload(ctx context.Context, ref string, content io.ReaderAt, o UploadOptions) (created bool, err error) {
	u := &uploading{client: c, content: content, options: o}
	target, err := c.Resolve(ref)
	if err != nil {
		return false, err
	}
	created, err = u.begin(ctx, target)
	for attempts := 0; u.broken(err); {
		if err := u.wait(ctx, attempts); err != nil {
			return false, err
		}
		was := u.offset
		complete, asked := u.ask(ctx)
		switch {
		case asked == nil && complete:
			return false, nil
		case asked == nil:
			created, err = u.add(ctx)
		case u.broken(asked):
			err = asked
		default:
			return false, fmt.Errorf("%w (the upload could not be continued: %w)", err, asked)
		}
		if attempts++; u.offset > was {
			attempts = 0
		}
		if attempts >= cmp.Or(o.Attempts, 10) {
			break
		}
	}
	if err != nil && ctx.Err() != nil {
		u.cancel(ctx)
	}
	return created, err
}

// uploading is a call of Upload.
type uploading struct {
	client  *Client
	content io.ReaderAt
	options UploadOptions
	offset  int64

	mu sync.Mutex
	// location is the URL of the upload resource; nil if the server has sent none.
	location *url.URL
}

// place returns the URL of the upload resource, or nil.
func (u *uploading) place() *url.URL {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.location
}

// errMismatch is for a server whose offset is not the one that it told.
var errMismatch = errors.New("davclient: the upload was continued elsewhere")

// broken reports whether the upload can be continued after err.
func (u *uploading) broken(err error) bool {
	if err == nil || u.place() == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	answer, ok := errors.AsType[*Error](err)
	if !ok {
		return true
	}
	switch answer.Status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(err, errMismatch)
}

// wait waits before the upload is continued.
func (u *uploading) wait(ctx context.Context, attempts int) error {
	pause := cmp.Or(u.options.Pause, time.Second)
	timer := time.NewTimer(min(pause<<min(attempts, 10), 30*pause))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		u.cancel(ctx)
		return context.Cause(ctx)
	}
}

// begin sends the whole content. A server that supports uploads in parts sends the URL of the upload
// resource meanwhile.
func (u *uploading) begin(ctx context.Context, target *url.URL) (created bool, err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		const resumable = 104
		if location := header.Get("Location"); status == resumable && location != "" {
			at, err := target.Parse(location)
			if err == nil && sameOrigin(at, u.client.Base) {
				u.mu.Lock()
				u.location = at
				u.mu.Unlock()
			}
		}
		return nil
	}})
	header := http.Header{"Upload-Length": {strconv.FormatInt(u.options.Size, 10)}}
	u.options.set(header)
	if !u.options.Modified.IsZero() {
		header.Set("X-OC-Mtime", strconv.FormatInt(u.options.Modified.Unix(), 10))
	}
	return u.send(ctx, http.MethodPut, target, header)
}

// ask asks how much has arrived.
func (u *uploading) ask(ctx context.Context) (complete bool, err error) {
	response, err := u.client.Do(ctx, http.MethodHead, u.place().String(), nil, nil)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if err := ResponseError(response); err != nil {
		return false, err
	}
	if u.offset, err = strconv.ParseInt(response.Header.Get(uploadOffset), 10, 64); err != nil || u.offset < 0 || u.offset > u.options.Size {
		return false, &Error{Method: http.MethodHead, URL: u.place().String(), Status: response.StatusCode, Text: "the server has sent no valid Upload-Offset"}
	}
	return response.Header.Get(uploadComplete) == "?1", nil
}

// add sends the rest.
func (u *uploading) add(ctx context.Context) (created bool, err error) {
	return u.send(ctx, http.MethodPatch, u.place(), http.Header{
		"Content-Type": {"application/partial-upload"}, uploadOffset: {strconv.FormatInt(u.offset, 10)},
	})
}

// send sends the content from the offset to its end.
func (u *uploading) send(ctx context.Context, method string, to *url.URL, header http.Header) (created bool, err error) {
	left := u.options.Size - u.offset
	body := &uploadBody{r: io.NewSectionReader(u.content, u.offset, left), sent: u.offset, progress: u.options.Progress}
	defer body.end()
	r, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return false, err
	}
	if r.ContentLength = left; left == 0 {
		r.Body = http.NoBody
	}
	r.Header = header
	header.Set(uploadComplete, "?1")
	header.Set("Upload-Draft-Interop-Version", uploadVersion)
	response, err := u.client.send(r)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	err = ResponseError(response)
	if err != nil && method == http.MethodPatch && response.StatusCode == http.StatusConflict && response.Header.Get(uploadOffset) != "" {
		err = errors.Join(errMismatch, err)
	}
	return response.StatusCode == http.StatusCreated, err
}

// cancel tells the server that the upload will not be continued. It does not wait long.
func (u *uploading) cancel(ctx context.Context) {
	at := u.place()
	if at == nil {
		return
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_, _ = u.client.expect(ctx, http.MethodDelete, at.String(), nil, nil) // The server also removes it after a while.
}

// uploadBody is the body of one request. net/http may read it after the request has failed.
type uploadBody struct {
	mu       sync.Mutex
	r        io.Reader
	sent     int64
	progress func(sent int64)
	ended    bool
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, io.ErrClosedPipe
	}
	n, err := b.r.Read(p)
	if b.sent += int64(n); b.progress != nil {
		b.progress(b.sent)
	}
	return n, err
}

func (b *uploadBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
