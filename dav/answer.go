package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// respondError writes err as the response: a multi-status that names the members that
// failed (RFC 4918 §9.6.1, §9.8.3, §9.9.2), or a plain error.
func (h *Handler) respondError(ctx context.Context, w http.ResponseWriter, err error) {
	var partial *tree.PartialError
	var members *lockedMembersError
	switch {
	case errors.As(err, &members):
		h.respondLocked(ctx, w, members)
	case errors.As(err, &partial):
		h.respondPartial(ctx, w, partial)
	default:
		respond(w, status.Of(err), status.WithCondition(err))
	}
}

func (h *Handler) respondPartial(ctx context.Context, w http.ResponseWriter, partial *tree.PartialError) {
	body, err := newMultistatus(w)
	for _, failure := range partial.Failures {
		if err == nil {
			err = body.failed(h.hrefOf(ctx, failure.Name), status.WithCondition(failure.Err))
		}
	}
	note := ""
	if partial.Unnamed > 0 {
		note = fmt.Sprintf("%d more members failed", partial.Unnamed)
	}
	if err == nil {
		_ = body.close(note) // fails only if the client has gone
	}
}

// respondLocked names the locked members that made the server refuse the request.
func (h *Handler) respondLocked(ctx context.Context, w http.ResponseWriter, locked *lockedMembersError) {
	body, err := newMultistatus(w)
	for _, root := range locked.roots {
		href := h.hrefOf(ctx, root)
		if err == nil {
			err = body.failed(href, &status.Error{
				Status: http.StatusLocked, Condition: locked.condition, Hrefs: []string{href},
			})
		}
	}
	if err == nil && locked.dependent != "" {
		err = body.failed(h.hrefOf(ctx, locked.dependent), &status.Error{Status: http.StatusFailedDependency})
	}
	if err == nil {
		_ = body.close("") // fails only if the client has gone
	}
}

// succeed answers with a status without content of its own.
func succeed(w http.ResponseWriter, code int) error {
	respond(w, code, nil)
	return nil
}

// respond writes a final response without content of its own. From err it shows only text
// for clients, never a name in the storage.
func respond(w http.ResponseWriter, code int, err error) {
	if code == http.StatusNoContent || code == http.StatusNotModified {
		w.WriteHeader(code)
		return
	}
	w.Header().Del("Content-Location") // it would apply to the error's text (RFC 9110 §8.7)
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	contentType, body := "text/plain; charset=utf-8", plainError(code, err)
	if err != nil {
		var own *status.Error
		if errors.As(err, &own) && own.Condition != "" {
			contentType, body = xmlContentType, xmlError(own)
		}
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // if that fails, the client has disconnected
}

// plainError returns the plain-text body for a status and err.
func plainError(code int, err error) string {
	text := strconv.Itoa(code) + " " + http.StatusText(code)
	if reason := status.Reason(err); reason != "" {
		text += ": " + reason
	}
	return text + "\n"
}

// xmlError returns the body of a response with a condition (RFC 4918 §14.5). For a 507 it
// adds the reason for a person, because the condition alone is hard to understand. A
// client that does not expect the extra element ignores it (§17).
func xmlError(e *status.Error) string {
	body := appendError([]byte(xml.Header), e, ` xmlns:D="DAV:"`)
	if e.Status == http.StatusInsufficientStorage && e.Reason != "" {
		const end = "</D:error>"
		body = append(body[:len(body)-len(end)], "<D:responsedescription>"...)
		body = append(appendText(body, e.Reason), "</D:responsedescription>"+end...)
	}
	return string(append(body, '\n'))
}

// appendError appends an error element for e.
func appendError(dst []byte, e *status.Error, namespace string) []byte {
	dst = append(dst, "<D:error"+namespace+"><D:"+e.Condition...)
	if len(e.Hrefs) == 0 {
		return append(dst, "/></D:error>"...)
	}
	dst = append(dst, '>')
	for _, href := range e.Hrefs {
		dst = append(dst, "<D:href>"...)
		dst = appendText(dst, href)
		dst = append(dst, "</D:href>"...)
	}
	return append(dst, "</D:"+e.Condition+"></D:error>"...)
}
