// Package davxml reads and writes the XML of WebDAV (RFC 4918 §14).
package davxml

import (
	"errors"
	"net/http"
	"strconv"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

// Elements holds response elements (RFC 4918 §14.24) in the form that is sent.
type Elements struct{ Buf []byte }

// Open begins the response element of a resource.
func (e *Elements) Open(prefix, name string, collection bool) {
	e.Buf = append(e.Buf, "<D:response><D:href>"...)
	start := len(e.Buf)
	e.Buf = field.AppendHref(e.Buf, prefix, name, collection)
	e.Buf = AsText(e.Buf, start)
	e.Buf = append(e.Buf, "</D:href>"...)
}

// End ends the response element.
func (e *Elements) End() { e.Buf = append(e.Buf, "</D:response>"...) }

// Failed appends the response element of a resource that has only the status of err,
// and the condition of err if it has one (RFC 4918 §14.24).
func (e *Elements) Failed(href string, err error) {
	e.Buf = appendElement(append(e.Buf, "<D:response>"...), "href", href)
	e.status(status.Of(err))
	if own, ok := errors.AsType[*status.Error](err); ok && own.Condition != "" {
		e.Buf = appendError(e.Buf, own, "")
	}
	e.End()
}

func (e *Elements) status(status int) {
	e.Buf = append(e.Buf, "<D:status>HTTP/1.1 "...)
	e.Buf = strconv.AppendInt(e.Buf, int64(status), 10)
	e.Buf = append(e.Buf, ' ')
	e.Buf = append(e.Buf, http.StatusText(status)...)
	e.Buf = append(e.Buf, "</D:status>"...)
}

// OpenPropstat begins a propstat element. ClosePropstat ends it with its status.
func (e *Elements) OpenPropstat() {
	e.Buf = append(e.Buf, "<D:propstat><D:prop>"...)
}

// ClosePropstat ends a propstat element with its status.
func (e *Elements) ClosePropstat(code int) { e.ClosePropstatOf(&status.Error{Status: code}) }

// ClosePropstatOf is ClosePropstat that adds the condition that failed and the reason for
// people, if why has them (RFC 4918 §14.5, §14.25).
func (e *Elements) ClosePropstatOf(why *status.Error) {
	e.Buf = append(e.Buf, "</D:prop>"...)
	e.status(why.Status)
	if why.Condition != "" {
		e.Buf = appendError(e.Buf, &status.Error{Condition: why.Condition}, "")
	}
	if why.Reason != "" {
		e.Buf = appendElement(e.Buf, "responsedescription", why.Reason)
	}
	e.Buf = append(e.Buf, "</D:propstat>"...)
}

// Property appends a property of any namespace. Its content declares the namespaces
// that it uses and may have names without a prefix. So its own namespace must not
// become the default one, and is bound to a prefix.
func (e *Elements) Property(p webdav.Property) {
	prefix := "p:"
	switch p.XMLName.Space {
	case "DAV:":
		prefix = "D:"
	case "":
		prefix = ""
	}
	e.Buf = append(e.Buf, '<')
	e.Buf = append(e.Buf, prefix...)
	e.Buf = append(e.Buf, p.XMLName.Local...)
	if prefix == "p:" {
		e.Buf = appendAttribute(e.Buf, "xmlns:p", p.XMLName.Space)
	}
	if p.Lang != "" {
		e.Buf = appendAttribute(e.Buf, "xml:lang", p.Lang)
	}
	if len(p.InnerXML) == 0 {
		e.Buf = append(e.Buf, "/>"...)
		return
	}
	e.Buf = append(e.Buf, '>')
	e.Buf = append(e.Buf, p.InnerXML...)
	e.Buf = append(e.Buf, "</"...)
	e.Buf = append(e.Buf, prefix...)
	e.Buf = append(e.Buf, p.XMLName.Local...)
	e.Buf = append(e.Buf, '>')
}
