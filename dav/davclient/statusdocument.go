package davclient

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// statusDocument holds the parts of an operation's status document that the client
// needs. operation.Status documents the whole.
type statusDocument struct {
	Method      string     `json:"method"`
	Source      string     `json:"source"`
	Destination string     `json:"destination"`
	State       string     `json:"state"`
	Started     time.Time  `json:"started"`
	Ended       *time.Time `json:"ended"`
	Status      *int       `json:"status"`
	Reason      string     `json:"reason"`
	Recovery    string     `json:"recovery"`
	Progress    struct {
		Done       int64  `json:"done"`
		Total      *int64 `json:"total"`
		TotalFinal bool   `json:"totalFinal"`
		Bytes      int64  `json:"bytes"`
		TotalBytes *int64 `json:"totalBytes"`
		Current    string `json:"current"`
	} `json:"progress"`
	Failures []struct {
		Href   string `json:"href"`
		Status int    `json:"status"`
	} `json:"failures"`
	FailuresTotal int                   `json:"failuresTotal"`
	Links         struct{ Self string } `json:"links"`
}

// maxDocument limits the size of a status document or list, in bytes.
const maxDocument = 4 << 20

var errNoDocument = errors.New("not a status document")

// getJSON reads the JSON document at u into document. date is the response's header
// Date, or zero.
func (c *Client) getJSON(ctx context.Context, u *url.URL, document any) (date time.Time, err error) {
	response, err := c.Do(ctx, http.MethodGet, u.String(), http.Header{"Accept": {"application/json"}}, nil)
	if err != nil {
		return date, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return date, cmp.Or(ResponseError(response), errNoDocument)
	}
	if mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); mediaType != "application/json" {
		return date, fmt.Errorf("GET %s: %w", u, errNoDocument)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err != nil {
		return date, err
	}
	if json.Unmarshal(body, document) != nil {
		return date, fmt.Errorf("GET %s: %w", u, errNoDocument)
	}
	date, _ = http.ParseTime(response.Header.Get("Date"))
	return date, nil
}

func (d *statusDocument) progress() Progress {
	p := Progress{
		Done: d.Progress.Done, Total: Unknown, Bytes: d.Progress.Bytes, TotalBytes: Unknown,
		Final: d.Progress.TotalFinal, Member: relativeRef(d.Source, d.Progress.Current),
	}
	if d.Progress.Total != nil {
		p.Total = max(*d.Progress.Total, p.Done)
	}
	if d.Progress.TotalBytes != nil {
		p.TotalBytes = max(*d.Progress.TotalBytes, p.Bytes)
	}
	return p
}

// relativeRef returns the path ref relative to the resource base, as the header
// Progress has it. base itself is named by its last segment.
func relativeRef(base, ref string) string {
	base = strings.TrimRight(base, "/")
	below, ok := strings.CutPrefix(ref, base+"/")
	if below = strings.Trim(below, "/"); ok && below != "" {
		return below
	}
	ref = strings.TrimRight(ref, "/")
	return ref[strings.LastIndexByte(ref, '/')+1:]
}

// result returns the final status of the operation, with an error unless it
// succeeded.
func (d *statusDocument) result(method, at string) (status int, err error) {
	if d.Status != nil {
		status = *d.Status
	}
	e := &Error{Method: method, URL: at, Status: status, Text: printable(d.Reason)}
	// After an interrupted DELETE, members that it had not removed still exist.
	finished := d.State == "interrupted" && d.Recovery == "finished" && method != http.MethodDelete
	switch {
	case status == 0 && !finished:
		return 0, errors.New(cmp.Or(e.Text, "the outcome of the operation is unknown"))
	case status >= http.StatusMultipleChoices:
		return status, e
	case d.FailuresTotal == 0:
		return status, nil
	}
	for _, failure := range d.Failures {
		e.Members = append(e.Members, MemberError{Href: failure.Href, Status: failure.Status})
	}
	e.Status, e.Text, e.Unnamed = http.StatusMultiStatus, "", max(d.FailuresTotal-len(e.Members), 0)
	return e.Status, e
}
