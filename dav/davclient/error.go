package davclient

import (
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"unicode"
)

// Error is a final response that is not one of success: a status of 300 or
// more, or a multi-status in which a member has failed.
type Error struct {
	// Method and URL are the request's.
	Method, URL string
	// Status is the response's; 207 where Members has what failed.
	Status int
	// Text is what the server says to a person: one printable line, or "".
	Text string
	// Condition is the precondition or postcondition that failed (RFC 4918
	// §16), such as "lock-token-submitted"; or "".
	Condition string
	// Members are those that failed, at most 10,000; Unnamed is how many more.
	Members []MemberError
	Unnamed int
}

// Error returns the request, the status, and what the server says.
func (e *Error) Error() string {
	text := e.Method + " " + e.URL + ": " + statusText(e.Status)
	if e.Text != "" {
		text += ": " + e.Text
	}
	if n := len(e.Members) + e.Unnamed; n > 0 {
		text += fmt.Sprintf(": %d members failed, the first is %s", n, &e.Members[0])
	}
	return text
}

// Is makes 404 and 410 fs.ErrNotExist, and 401 and 403 fs.ErrPermission.
func (e *Error) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == fs.ErrPermission
	}
	return false
}

// aboutDestination reports whether it is the status 502 of a server that takes the
// destination for another's (RFC 4918 §9.8.5), in davd's words: something between
// says 502, too.
func (e *Error) aboutDestination() bool {
	return e.Status == http.StatusBadGateway && strings.Contains(e.Text, "Destination")
}

// MemberError is a member that failed.
type MemberError struct {
	// Href is a reference, as the server has written it.
	Href string
	// Status is the member's, or 0 if the server's can't be read.
	Status int
	// Condition is as in Error.
	Condition string
}

// Error returns the status and the reference.
func (e *MemberError) Error() string { return statusText(e.Status) + " " + printable(e.Href) }

// statusText is "423 Locked".
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// How much is read of a response that says what is wrong, and how much of it is
// kept, in bytes.
const (
	maxErrorBody = 64 << 10
	maxText      = 500
)

// ResponseError reads the body of what Do has returned: all of a multi-status, else
// 64 KiB at most. It returns an *Error, nil for success, or what went wrong on the
// way.
func ResponseError(response *http.Response) error {
	e := &Error{Method: response.Request.Method, URL: response.Request.URL.String(), Status: response.StatusCode}
	switch {
	case response.StatusCode == http.StatusMultiStatus:
		return e.readMembers(response.Body)
	case response.StatusCode < http.StatusMultipleChoices:
		_, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody))
		return err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil {
		return e // what matters is known
	}
	switch contentType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); strings.TrimSpace(contentType) {
	case "text/plain":
		text := printable(string(body))
		e.Text = strings.TrimPrefix(text, statusText(e.Status))
		e.Text = strings.TrimPrefix(e.Text, ": ")
	case "application/xml", "text/xml":
		var condition xmlError
		if xml.Unmarshal(body, &condition) == nil {
			e.Condition = condition.name()
		}
	}
	return e
}

// readMembers reads a multi-status. It returns nil if no member has failed.
func (e *Error) readMembers(body io.Reader) error {
	const maxMembers = 10_000
	err := readMultistatus(body, func(r *xmlResponse) bool {
		status := r.status()
		if status >= http.StatusOK && status < http.StatusMultipleChoices {
			return true
		}
		for _, href := range r.Hrefs {
			if len(e.Members) == maxMembers {
				e.Unnamed++
				continue
			}
			e.Members = append(e.Members, MemberError{Href: href, Status: status, Condition: r.Error.name()})
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", e.Method, e.URL, err)
	}
	if len(e.Members) == 0 {
		return nil
	}
	return e
}

// printable returns the first line of s that is not empty, of at most maxText
// bytes and without control characters.
func printable(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	var b strings.Builder
	for _, c := range strings.TrimSpace(s) {
		if b.Len() >= maxText {
			break
		}
		if !unicode.IsPrint(c) {
			c = '?'
		}
		b.WriteRune(c)
	}
	return b.String()
}
