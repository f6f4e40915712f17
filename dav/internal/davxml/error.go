package davxml

import (
	"encoding/xml"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
)

// ErrorBody returns the body of a response with a condition (RFC 4918 §14.5). For a 507 it
// adds the reason for a person, because the condition alone is hard to understand. A
// client that does not expect the extra element ignores it (§17).
func ErrorBody(e *status.Error) string {
	body := appendError([]byte(xml.Header), e, ` xmlns:D="DAV:"`)
	if e.Status == http.StatusInsufficientStorage && e.Reason != "" {
		const end = "</D:error>"
		body = append(appendElement(body[:len(body)-len(end)], "responsedescription", e.Reason), end...)
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
		dst = appendElement(dst, "href", href)
	}
	return append(dst, "</D:"+e.Condition+"></D:error>"...)
}
