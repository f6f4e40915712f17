package dav

import (
	"encoding/xml"
	"io"
	"net/http"
)

// multistatus writes a multistatus element (RFC 4918 §13). It writes each response
// element in one call of Write, so that other code may write white space between two
// calls.
type multistatus struct {
	elements
	w io.Writer
}

const (
	// xmlContentType is text/xml, as Apache sends, because some clients, such as nd,
	// accept no other type for a multi-status or a lock.
	xmlContentType = "text/xml; charset=utf-8"
	// multistatusStart declares the prefix D for all elements below.
	multistatusStart = xml.Header + `<D:multistatus xmlns:D="DAV:">`
)

// setMultistatus makes the response on w a 207.
func setMultistatus(w http.ResponseWriter) {
	w.Header().Set("Content-Type", xmlContentType)
	w.WriteHeader(http.StatusMultiStatus)
}

// newMultistatus starts a 207 on w.
func newMultistatus(w http.ResponseWriter) (*multistatus, error) {
	setMultistatus(w)
	m := &multistatus{w: w}
	m.buf = append(m.buf, multistatusStart...)
	return m, m.flush()
}

func (m *multistatus) flush() error {
	_, err := m.w.Write(m.buf)
	m.buf = m.buf[:0]
	return err
}

// close ends the multistatus element. note is a text for a person, or "".
func (m *multistatus) close(note string) error {
	m.buf = appendMultistatusEnd(m.buf, note)
	return m.flush()
}

func appendMultistatusEnd(dst []byte, note string) []byte {
	if note != "" {
		dst = append(dst, "<D:responsedescription>"...)
		dst = appendText(dst, note)
		dst = append(dst, "</D:responsedescription>"...)
	}
	return append(dst, "</D:multistatus>"...)
}

// end ends and writes the response element.
func (m *multistatus) end() error {
	m.elements.end()
	return m.flush()
}

// failed writes a response element with href and the status of err.
func (m *multistatus) failed(href string, err error) error {
	m.elements.failed(href, err)
	return m.flush()
}
