package dav

import (
	"errors"
	"net/http"
	"strconv"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
)

// elements holds response elements (RFC 4918 §14.24) in the form that is sent.
type elements struct{ buf []byte }

// open begins the response element of a resource.
func (e *elements) open(prefix, name string, collection bool) {
	e.buf = append(e.buf, "<D:response><D:href>"...)
	start := len(e.buf)
	e.buf = appendHref(e.buf, prefix, name, collection)
	e.buf = asText(e.buf, start)
	e.buf = append(e.buf, "</D:href>"...)
}

// end ends the response element.
func (e *elements) end() { e.buf = append(e.buf, "</D:response>"...) }

// failed appends the response element of a resource that has only the status of err,
// and the condition of err if it has one (RFC 4918 §14.24).
func (e *elements) failed(href string, err error) {
	e.buf = append(e.buf, "<D:response><D:href>"...)
	e.buf = appendText(e.buf, href)
	e.buf = append(e.buf, "</D:href>"...)
	e.status(status.Of(err))
	var own *status.Error
	if errors.As(err, &own) && own.Condition != "" {
		e.buf = appendError(e.buf, own, "")
	}
	e.end()
}

func (e *elements) status(status int) {
	e.buf = append(e.buf, "<D:status>HTTP/1.1 "...)
	e.buf = strconv.AppendInt(e.buf, int64(status), 10)
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, http.StatusText(status)...)
	e.buf = append(e.buf, "</D:status>"...)
}

// openPropstat begins a propstat element. closePropstat ends it with its status.
func (e *elements) openPropstat() {
	e.buf = append(e.buf, "<D:propstat><D:prop>"...)
}

func (e *elements) closePropstat(code int) { e.closePropstatOf(&status.Error{Status: code}) }

// closePropstatOf is closePropstat that adds the failed condition and the reason for
// people, if why has them (RFC 4918 §14.5, §14.25).
func (e *elements) closePropstatOf(why *status.Error) {
	e.buf = append(e.buf, "</D:prop>"...)
	e.status(why.Status)
	if why.Condition != "" {
		e.buf = appendError(e.buf, &status.Error{Condition: why.Condition}, "")
	}
	if why.Reason != "" {
		e.buf = append(e.buf, "<D:responsedescription>"...)
		e.buf = appendText(e.buf, why.Reason)
		e.buf = append(e.buf, "</D:responsedescription>"...)
	}
	e.buf = append(e.buf, "</D:propstat>"...)
}

// live appends a live property, and reports whether r has it.
func (e *elements) live(p *liveProp, v *liveValues, r resource) bool {
	before := len(e.buf)
	e.buf = append(e.buf, p.start...)
	start := len(e.buf)
	var defined bool
	e.buf, defined = p.append(v, e.buf, r)
	switch {
	case !defined:
		e.buf = e.buf[:before]
	case len(e.buf) == start:
		e.buf = append(e.buf[:before], p.empty...)
	default:
		e.buf = append(e.buf, p.end...)
	}
	return defined
}

// property appends a property of any namespace. Its content declares the namespaces
// that it uses and may have names without a prefix. So its own namespace must not
// become the default one, and is bound to a prefix.
func (e *elements) property(p webdav.Property) {
	prefix := "p:"
	switch p.XMLName.Space {
	case "DAV:":
		prefix = "D:"
	case "":
		prefix = ""
	}
	e.buf = append(e.buf, '<')
	e.buf = append(e.buf, prefix...)
	e.buf = append(e.buf, p.XMLName.Local...)
	if prefix == "p:" {
		e.attribute("xmlns:p", p.XMLName.Space)
	}
	if p.Lang != "" {
		e.attribute("xml:lang", p.Lang)
	}
	if len(p.InnerXML) == 0 {
		e.buf = append(e.buf, "/>"...)
		return
	}
	e.buf = append(e.buf, '>')
	e.buf = append(e.buf, p.InnerXML...)
	e.buf = append(e.buf, "</"...)
	e.buf = append(e.buf, prefix...)
	e.buf = append(e.buf, p.XMLName.Local...)
	e.buf = append(e.buf, '>')
}

func (e *elements) attribute(name, value string) {
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, `="`...)
	e.buf = appendText(e.buf, value)
	e.buf = append(e.buf, '"')
}
