package dav

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"github.com/davd/davd/dav/internal/status"
)

// defaultMaxXML is Handler.MaxXML when that is 0, in bytes.
const defaultMaxXML = 1 << 20

// xmlBody returns the body of r. It refuses a body that is too long or has an unsupported
// encoding before it reads any of it.
func (h *Handler) xmlBody(w http.ResponseWriter, r *request) (io.Reader, error) {
	limit := h.MaxXML
	if limit <= 0 {
		limit = defaultMaxXML
	}
	if r.ContentLength > limit {
		return nil, badXML(&http.MaxBytesError{Limit: limit})
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, unsupported("the content coding " + coding)
	}
	charset := charsetOf(r.Header.Get("Content-Type"))
	if !readable(charset) {
		return nil, unsupported("the character set " + charset)
	}
	body, err := h.heldXML(r, http.MaxBytesReader(w, r.Body, limit), limit)
	if err != nil {
		return nil, badXML(err)
	}
	if mark := byteOrderMarks[strings.ToLower(charset)]; mark != "" {
		return marked(body, mark), nil
	}
	return body, nil
}

// byteOrderMarks are the byte order marks of character sets that name the byte order, so
// that a body needs no mark (RFC 2781 §4.1, §4.2).
var byteOrderMarks = map[string]string{"utf-16le": "\xff\xfe", "utf-16be": "\xfe\xff"}

// marked puts mark in front of body, unless body is empty or has its own mark, which
// takes precedence (RFC 7303 §3).
func marked(body io.Reader, mark string) io.Reader {
	buffered := bufio.NewReader(body)
	start, err := buffered.Peek(len(mark)) // the next read returns an error again
	if err != nil || string(start) == "\xff\xfe" || string(start) == "\xfe\xff" {
		return buffered
	}
	return io.MultiReader(strings.NewReader(mark), buffered)
}

// charsetOf returns the parameter charset of a media type, or "".
func charsetOf(contentType string) string {
	switch contentType {
	case xmlContentType, `application/xml; charset=utf-8`, `application/xml; charset="utf-8"`, `text/xml; charset="utf-8"`:
		return "" // most clients send one of these, so save the parsing
	}
	if !strings.Contains(contentType, ";") {
		return ""
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return params["charset"]
}

// readXML reads the body of r. Its root element must have the name root in the namespace
// DAV:, and content reads the content of that element. found reports whether r has a
// body. The caller must pass the error to badXML.
func (h *Handler) readXML(w http.ResponseWriter, r *request, root string, content func(*xmlReader) error) (found bool, err error) {
	body, err := h.xmlBody(w, r)
	if err != nil {
		return false, err
	}
	return parseXML(body, root, content)
}

// parseXML is readXML for a body from xmlBody.
func parseXML(body io.Reader, root string, content func(*xmlReader) error) (found bool, err error) {
	x := newXMLReader(body)
	e, err := x.start()
	switch {
	case errors.Is(err, io.EOF) && x.empty():
		return false, nil
	case err == nil && e.Name != davName(root):
		err = errors.New("the root element is not DAV:" + root)
	case err == nil:
		err = content(x)
	}
	if err == nil {
		err = x.end()
	}
	return true, err
}

// newXMLReader returns a reader for body, which is in UTF-8 or, if it begins with a byte
// order mark of it, in UTF-16 (XML 1.0 §4.3.3, §F).
func newXMLReader(body io.Reader) *xmlReader {
	source := newXMLSource(body)
	mark, _ := source.Peek(3) // the next read returns an error again
	utf16 := false
	switch {
	case string(mark) == "\xef\xbb\xbf":
		_, _ = source.Discard(len(mark))
	case len(mark) >= 2 && (string(mark[:2]) == "\xfe\xff" || string(mark[:2]) == "\xff\xfe"):
		utf16 = true
		source = newXMLSource(unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(source.Reader))
	}
	x := &xmlReader{source: source, decoder: xml.NewDecoder(source), blank: len(mark) == 0} //nolint:gosec // read token by token, within bounds
	x.decoder.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch {
		case !readable(charset):
			return nil, unsupported("the encoding " + charset)
		case isUTF16(charset) && !utf16:
			return nil, errors.New("the byte order mark is missing")
		}
		return in, nil
	}
	return x
}

// empty reports whether the body is empty.
func (x *xmlReader) empty() bool { return x.blank }

// readable reports whether the server can read charset. "" means that the client named
// none.
func readable(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return isUTF16(charset)
}

func isUTF16(charset string) bool {
	switch strings.ToLower(charset) {
	case "utf-16", "utf-16le", "utf-16be":
		return true
	}
	return false
}

func unsupported(what string) error {
	return &status.Error{
		Status: http.StatusUnsupportedMediaType,
		Reason: what + " is not supported: send the request body in UTF-8 or UTF-16, without a content coding",
	}
}

// badXML returns the error for the client if reading an XML body failed with err.
func badXML(err error) error {
	var tooLarge *http.MaxBytesError
	var own *status.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, os.ErrDeadlineExceeded):
		return cutOff(err)
	case errors.As(err, &tooLarge):
		return &status.Error{
			Status: http.StatusRequestEntityTooLarge,
			Reason: fmt.Sprintf("the request body is longer than %d bytes", tooLarge.Limit),
		}
	}
	return &status.Error{Status: http.StatusBadRequest, Reason: "the request body: " + err.Error()}
}

func davName(local string) xml.Name { return xml.Name{Space: "DAV:", Local: local} }
