package davclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// partType is the media type of a part of a file.
const partType = "application/partial-upload"

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
// (draft-ietf-httpbis-resumable-upload). If a proxy refuses large requests with a 413, it sends smaller
// parts. The file appears when it is complete. If the answer that says
// so is lost, created is false. To any other server, Upload sends an ordinary PUT.
//
// If ctx ends, Upload cancels the upload on the server.
func (c *Client) Upload(ctx context.Context, ref string, content io.ReaderAt, o UploadOptions) (created bool, err error) {
	u := &uploading{client: c, content: content, options: o}
	target, err := c.Resolve(ref)
	if err != nil {
		return false, err
	}
	if !u.supported(ctx, target) {
		body := &uploadBody{r: io.NewSectionReader(content, 0, o.Size), progress: o.Progress}
		defer body.end()
		return c.Put(ctx, ref, body, o.PutOptions)
	}
	if err := u.begin(ctx, target); err != nil {
		return false, err
	}
	created, err = u.add(ctx)
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
		} else if attempts%smallerAfter == 0 {
			u.shrink() // Some proxies close the connection instead of answering with a 413.
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
	// part is the largest number of bytes in a request; 0 for any.
	part int64

	// location is the URL of the upload resource.
	location *url.URL
}

// errMismatch is for a server whose offset is not the one that it told.
var errMismatch = errors.New("davclient: the upload was continued elsewhere")

// broken reports whether the upload can be continued after err.
func (u *uploading) broken(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
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

// supported asks whether the server accepts uploads in parts. Any other server would take the first
// request of an upload for an empty file.
func (u *uploading) supported(ctx context.Context, target *url.URL) bool {
	response, err := u.client.Do(ctx, http.MethodOptions, target.String(), nil, nil)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	for media := range strings.SplitSeq(strings.Join(response.Header.Values("Accept-Patch"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(media), partType) {
			return response.StatusCode/100 == 2
		}
	}
	return false
}

// begin begins the upload with an empty part. The server sends the URL of the upload resource in its
// answer, because some proxies in front of servers don't forward interim responses.
func (u *uploading) begin(ctx context.Context, target *url.URL) error {
	header := http.Header{
		uploadComplete: {"?0"}, "Upload-Length": {strconv.FormatInt(u.options.Size, 10)},
	}
	u.options.set(header)
	if !u.options.Modified.IsZero() {
		header.Set("X-OC-Mtime", strconv.FormatInt(u.options.Modified.Unix(), 10))
	}
	response, err := u.client.Do(ctx, http.MethodPut, target.String(), header, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := ResponseError(response); err != nil {
		return err
	}
	at, err := response.Request.URL.Parse(response.Header.Get("Location"))
	if err != nil || response.Header.Get("Location") == "" || !sameOrigin(at, u.client.Base) {
		return &Error{Method: http.MethodPut, URL: target.String(), Status: response.StatusCode, Text: "the server has sent no valid Location of the upload"}
	}
	u.location = at
	return nil
}

// ask asks how much has arrived.
func (u *uploading) ask(ctx context.Context) (complete bool, err error) {
	response, err := u.client.Do(ctx, http.MethodHead, u.location.String(), nil, nil)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if err := ResponseError(response); err != nil {
		return false, err
	}
	if u.offset, err = strconv.ParseInt(response.Header.Get(uploadOffset), 10, 64); err != nil || u.offset < 0 || u.offset > u.options.Size {
		return false, &Error{Method: http.MethodHead, URL: u.location.String(), Status: response.StatusCode, Text: "the server has sent no valid Upload-Offset"}
	}
	return response.Header.Get(uploadComplete) == "?1", nil
}

// smallerAfter is after how many attempts without progress the parts become smaller, each time.
const smallerAfter = 3

// The sizes of the parts after a request was refused because it was too large.
const (
	largestPart  = 16 << 20
	smallestPart = 256 << 10
)

// shrink makes the parts smaller. It reports whether that is possible.
func (u *uploading) shrink() bool {
	switch {
	case u.part == 0 && u.options.Size-u.offset > largestPart:
		u.part = largestPart
	case u.part == 0:
		u.part = largestPart / 4
	default:
		u.part /= 4
	}
	return u.part >= smallestPart
}

// add sends the rest.
func (u *uploading) add(ctx context.Context) (created bool, err error) {
	for {
		created, complete, err := u.addPart(ctx)
		answer, _ := errors.AsType[*Error](err)
		switch {
		case err == nil && complete:
			return created, nil
		case err == nil:
		case answer != nil && answer.Status == http.StatusRequestEntityTooLarge && u.shrink():
			if complete, err := u.ask(ctx); complete || err != nil {
				return false, err
			}
		default:
			return false, err
		}
	}
}

// addPart sends the next part, and reports whether that was the last one.
func (u *uploading) addPart(ctx context.Context) (created, complete bool, err error) {
	left := u.options.Size - u.offset
	complete = u.part == 0 || left <= u.part
	if !complete {
		left = u.part
	}
	body := &uploadBody{r: io.NewSectionReader(u.content, u.offset, left), sent: u.offset, progress: u.options.Progress}
	defer body.end()
	r, err := http.NewRequestWithContext(ctx, http.MethodPatch, u.location.String(), body)
	if err != nil {
		return false, false, err
	}
	if r.ContentLength = left; left == 0 {
		r.Body = http.NoBody
	}
	r.Header = http.Header{
		"Content-Type": {partType}, uploadComplete: {"?0"}, uploadOffset: {strconv.FormatInt(u.offset, 10)},
	}
	if complete {
		r.Header.Set(uploadComplete, "?1")
	}
	response, err := u.client.send(r)
	if err != nil {
		return false, false, err
	}
	defer response.Body.Close()
	err = ResponseError(response)
	if err != nil && response.StatusCode == http.StatusConflict && response.Header.Get(uploadOffset) != "" {
		err = errors.Join(errMismatch, err)
	}
	if err == nil {
		u.offset += left
	}
	return response.StatusCode == http.StatusCreated, complete, err
}

// cancel tells the server that the upload will not be continued. It does not wait long.
func (u *uploading) cancel(ctx context.Context) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_, _ = u.client.expect(ctx, http.MethodDelete, u.location.String(), nil, nil) // The server also removes it after a while.
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
