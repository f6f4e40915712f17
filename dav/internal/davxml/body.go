package davxml

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"github.com/davd/davd/dav/internal/status"
)

// charsetOf returns the parameter charset of a media type, or "".
func charsetOf(contentType string) string {
	switch contentType {
	case ContentType, `application/xml; charset=utf-8`, `application/xml; charset="utf-8"`, `text/xml; charset="utf-8"`:
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

// readRoot reads an XML body. Its root element must have the name root in the namespace
// DAV:, and content reads the content of that element. found is false if the body is
// empty.
func readRoot[T any](body io.Reader, root string, content func(*Reader) (T, error)) (value T, found bool, err error) {
	x := NewReader(body)
	e, err := x.Start()
	switch {
	case errors.Is(err, io.EOF) && x.blank:
		return value, false, nil
	case err == nil && e.Name != Name(root):
		err = errors.New("the root element is not DAV:" + root)
	case err == nil:
		value, err = content(x)
	}
	if err == nil {
		err = x.end()
	}
	return value, true, err
}

// NewReader returns a reader for body, which is in UTF-8 or, if it begins with a byte
// order mark of it, in UTF-16 (XML 1.0 §4.3.3, §F).
func NewReader(body io.Reader) *Reader {
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
	x := &Reader{source: source, decoder: xml.NewDecoder(source), blank: len(mark) == 0}
	x.decoder.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch {
		case !readable(charset):
			return nil, unsupported("the encoding " + charset)
		case strings.HasPrefix(strings.ToLower(charset), "utf-16") && !utf16:
			return nil, errors.New("the byte order mark is missing")
		}
		return in, nil
	}
	return x
}

// readable reports whether the server can read charset. "" means that the client named
// none.
func readable(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "utf-16", "utf-16le", "utf-16be":
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

// Name returns a name in the namespace DAV:.
func Name(local string) xml.Name { return xml.Name{Space: "DAV:", Local: local} }

// CheckType refuses a body whose header fields announce a content coding or a character
// set that can't be read, with a 415.
func CheckType(header http.Header) error {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return unsupported("the content coding " + coding)
	}
	if charset := charsetOf(header.Get("Content-Type")); !readable(charset) {
		return unsupported("the character set " + charset)
	}
	return nil
}

// WithMark returns body with a byte order mark if its Content-Type names the byte order
// (RFC 2781 §4.1, §4.2), unless body is empty or has its own mark, which takes precedence
// (RFC 7303 §3).
func WithMark(body io.Reader, contentType string) io.Reader {
	var mark string
	switch strings.ToLower(charsetOf(contentType)) {
	case "utf-16le":
		mark = "\xff\xfe"
	case "utf-16be":
		mark = "\xfe\xff"
	default:
		return body
	}
	buffered := bufio.NewReader(body)
	start, err := buffered.Peek(len(mark)) // the next read returns an error again
	if err != nil || string(start) == "\xff\xfe" || string(start) == "\xfe\xff" {
		return buffered
	}
	return io.MultiReader(strings.NewReader(mark), buffered)
}
