package davxml

import (
	"encoding/xml"
	"io"
	"net/http"
)

// Multistatus writes a multistatus element (RFC 4918 §13). It writes each response
// element in one call of Write, so that other code may write white space between two
// calls.
type Multistatus struct {
	Elements
	w io.Writer
}

const (
	// ContentType is text/xml, as Apache sends, because some clients, such as nd,
	// accept no other type for a multi-status or a lock.
	ContentType = "text/xml; charset=utf-8"
	// Start declares the prefix D for all elements below.
	Start = xml.Header + `<D:multistatus xmlns:D="DAV:">`
)

// SetMultistatus makes the response on w a 207.
func SetMultistatus(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(http.StatusMultiStatus)
}

// NewMultistatus starts a 207 on w.
func NewMultistatus(w http.ResponseWriter) (*Multistatus, error) {
	SetMultistatus(w)
	m := &Multistatus{w: w}
	m.Buf = append(m.Buf, Start...)
	return m, m.flush()
}

func (m *Multistatus) flush() error {
	_, err := m.w.Write(m.Buf)
	m.Buf = m.Buf[:0]
	return err
}

// Close ends the multistatus element. note is a text for a person, or "".
func (m *Multistatus) Close(note string) error {
	m.Buf = AppendEnd(m.Buf, note)
	return m.flush()
}

// AppendEnd appends the end of a multistatus element. note is a text for a person, or "".
func AppendEnd(dst []byte, note string) []byte {
	if note != "" {
		dst = appendElement(dst, "responsedescription", note)
	}
	return append(dst, "</D:multistatus>"...)
}

// End ends and writes the response element.
func (m *Multistatus) End() error {
	m.Elements.End()
	return m.flush()
}

// Failed writes a response element with href and the status of err.
func (m *Multistatus) Failed(href string, err error) error {
	m.Elements.Failed(href, err)
	return m.flush()
}
