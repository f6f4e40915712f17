package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"golang.org/x/net/webdav"
)

// multistatus writes a multistatus element (RFC 4918 §13), one response
// element in each call of Write, so that white space may stand between two
// calls.
type multistatus struct {
	w   io.Writer
	buf []byte
}

const xmlContentType = "application/xml; charset=utf-8"

// newMultistatus starts a 207 on w.
func newMultistatus(w http.ResponseWriter) (*multistatus, error) {
	w.Header().Set("Content-Type", xmlContentType)
	w.WriteHeader(http.StatusMultiStatus)
	m := &multistatus{w: w}
	m.buf = append(m.buf, xml.Header+`<D:multistatus xmlns:D="DAV:">`...)
	return m, m.flush()
}

func (m *multistatus) flush() error {
	_, err := m.w.Write(m.buf)
	m.buf = m.buf[:0]
	return err
}

// close ends the element. note, for a person, may be "".
func (m *multistatus) close(note string) error {
	if note != "" {
		m.buf = append(m.buf, "<D:responsedescription>"...)
		m.buf = appendText(m.buf, note)
		m.buf = append(m.buf, "</D:responsedescription>"...)
	}
	m.buf = append(m.buf, "</D:multistatus>"...)
	return m.flush()
}

// open begins the response element of a resource.
func (m *multistatus) open(prefix, name string, collection bool) {
	m.buf = append(m.buf, "<D:response><D:href>"...)
	start := len(m.buf)
	m.buf = appendHref(m.buf, prefix, name, collection)
	m.buf = asText(m.buf, start)
	m.buf = append(m.buf, "</D:href>"...)
}

// end ends and writes the response element.
func (m *multistatus) end() error {
	m.buf = append(m.buf, "</D:response>"...)
	return m.flush()
}

// failed writes the response element of a resource that has only the status of
// err, with its condition if it has one (RFC 4918 §14.24).
func (m *multistatus) failed(href string, err error) error {
	m.buf = append(m.buf, "<D:response><D:href>"...)
	m.buf = appendText(m.buf, href)
	m.buf = append(m.buf, "</D:href>"...)
	m.status(statusOf(err))
	var own *statusError
	if errors.As(err, &own) && own.condition != "" {
		m.buf = appendError(m.buf, own, "")
	}
	return m.end()
}

func (m *multistatus) status(status int) {
	m.buf = append(m.buf, "<D:status>HTTP/1.1 "...)
	m.buf = strconv.AppendInt(m.buf, int64(status), 10)
	m.buf = append(m.buf, ' ')
	m.buf = append(m.buf, http.StatusText(status)...)
	m.buf = append(m.buf, "</D:status>"...)
}

// openPropstat begins a propstat element. closePropstat gives its status, and
// the condition that has failed, if there is one.
func (m *multistatus) openPropstat() {
	m.buf = append(m.buf, "<D:propstat><D:prop>"...)
}

func (m *multistatus) closePropstat(status int, condition string) {
	m.buf = append(m.buf, "</D:prop>"...)
	m.status(status)
	if condition != "" {
		m.buf = appendError(m.buf, &statusError{condition: condition}, "")
	}
	m.buf = append(m.buf, "</D:propstat>"...)
}

// davProperty writes a property of the namespace DAV: with the content that
// value appends, unless that returns false. Without value it writes the name.
func (m *multistatus) davProperty(local string, value func(dst []byte) ([]byte, bool)) bool {
	start := len(m.buf)
	m.buf = append(m.buf, "<D:"...)
	m.buf = append(m.buf, local...)
	if value == nil {
		m.buf = append(m.buf, "/>"...)
		return true
	}
	m.buf = append(m.buf, '>')
	var defined bool
	if m.buf, defined = value(m.buf); !defined {
		m.buf = m.buf[:start]
		return false
	}
	m.buf = append(m.buf, "</D:"...)
	m.buf = append(m.buf, local...)
	m.buf = append(m.buf, '>')
	return true
}

// property writes a property of any namespace. Its content declares the
// namespaces it uses, and must not find a default one here: so there is a
// prefix.
func (m *multistatus) property(p webdav.Property) {
	tag := "D:" + p.XMLName.Local
	switch p.XMLName.Space {
	case "DAV:":
	case "":
		tag = p.XMLName.Local
	default:
		tag = "p:" + p.XMLName.Local
	}
	m.buf = append(m.buf, '<')
	m.buf = append(m.buf, tag...)
	if p.XMLName.Space != "" && p.XMLName.Space != "DAV:" {
		m.attribute("xmlns:p", p.XMLName.Space)
	}
	if p.Lang != "" {
		m.attribute("xml:lang", p.Lang)
	}
	if len(p.InnerXML) == 0 {
		m.buf = append(m.buf, "/>"...)
		return
	}
	m.buf = append(m.buf, '>')
	m.buf = append(m.buf, p.InnerXML...)
	m.buf = append(m.buf, "</"...)
	m.buf = append(m.buf, tag...)
	m.buf = append(m.buf, '>')
}

func (m *multistatus) attribute(name, value string) {
	m.buf = append(m.buf, ' ')
	m.buf = append(m.buf, name...)
	m.buf = append(m.buf, `="`...)
	m.buf = appendText(m.buf, value)
	m.buf = append(m.buf, '"')
}

// asText makes XML text of the reference that dst ends with, from start on.
func asText(dst []byte, start int) []byte {
	if bytes.IndexByte(dst[start:], '&') < 0 {
		return dst
	}
	return appendText(dst[:start], string(dst[start:]))
}

// appendText appends s as XML text, also fit for an attribute. What can't
// stand in XML 1.0, invalid UTF-8 included, becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	for len(s) > 0 {
		c, size := utf8.DecodeRuneInString(s)
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&#34;"...)
		case c == '\t' || c == '\n' || c == '\r':
			dst = append(dst, "&#"...)
			dst = strconv.AppendInt(dst, int64(c), 10)
			dst = append(dst, ';')
		case c < ' ' || c == 0xFFFE || c == 0xFFFF:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, c)
		}
		s = s[size:]
	}
	return dst
}
