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

// Error is a final response that reports a failure: a status of 300 or more, or a
// multi-status that reports a failed member.
type Error struct {
	// Method and URL come from the request.
	Method, URL string
	// Status comes from the response. It is 207 if Members lists the failures.
	Status int
	// Text is the server's explanation for a person: one printable line, or "".
	Text string
	// Condition is the precondition or postcondition that failed (RFC 4918
	// §16), such as "lock-token-submitted"; or "".
	Condition string
	// Members are the members that failed, at most 10,000. Unnamed is the number
	// of further failures.
	Members []MemberError
	Unnamed int
}

// Error returns the request, the status and the server's explanation.
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

// Is lets errors.Is match 404 and 410 with fs.ErrNotExist, and 401 and 403 with
// fs.ErrPermission.
func (e *Error) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == fs.ErrPermission
	}
	return false
}

// aboutDestination reports whether e is a 502 because the destination is on
// another server (RFC 4918 §9.8.5). It checks for davd's wording, because proxies
// send 502 too.
func (e *Error) aboutDestination() bool {
	return e.Status == http.StatusBadGateway && strings.Contains(e.Text, "Destination")
}

// MemberError is a member that failed.
type MemberError struct {
	// Href is the member's reference as the server wrote it.
	Href string
	// Status is the member's status, or 0 if it can't be parsed.
	Status int
	// Condition is the same as in Error.
	Condition string
}

// Error returns the member's status and reference.
func (e *MemberError) Error() string { return statusText(e.Status) + " " + printable(e.Href) }

// statusText returns, for example, "423 Locked".
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

const (
	// maxErrorBody limits how much ResponseError reads of a body that is not a
	// multi-status, in bytes.
	maxErrorBody = 64 << 10
	// maxText limits Error.Text, in bytes.
	maxText = 500
)

// ResponseError reads the body of a response from Do: all of a multi-status, and at
// most 64 KiB of any other. It returns an *Error if the request failed, another
// error if the body can't be read, and nil for success.
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
		return e // without a text
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

// readMembers reads a multi-status. It returns nil if no member failed.
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

// printable returns the first line of s that is not empty, shortened to about
// maxText bytes and with "?" for each character that can't be printed.
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
