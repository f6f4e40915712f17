package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxXMLAdded bounds, in bytes, the declarations that content adds: a long
// namespace may be used by many elements.
const maxXMLAdded = 1 << 20

// xmlCapture is what xmlReader notes while it captures content.
type xmlCapture struct {
	on bool
	// outer is how many bindings were in scope where the content begins.
	outer int
	// used are those of them that the current outermost element, or what is in
	// it, uses.
	used  []xmlBinding
	added int // bytes of declarations, in the whole body
}

// uses notes that the binding i is used.
func (c *xmlCapture) uses(i int, b xmlBinding) {
	if c.on && i < c.outer && b.namespace != "" && b.prefix != "xml" && !slices.Contains(c.used, b) {
		c.used = append(c.used, b)
	}
}

// value notes the prefix with which an attribute's value begins, which may be a
// name as in xsi:type="xs:string" (RFC 4918 §4.3).
func (c *xmlCapture) value(x *xmlReader, value string) {
	if prefix, _, found := strings.Cut(value, ":"); c.on && found && prefix != "" {
		x.lookup(prefix)
	}
}

// declarations returns the namespace declarations of what was used since the
// last call, as attributes.
func (c *xmlCapture) declarations() string {
	var dst []byte
	for _, b := range c.used {
		dst = append(dst, " xmlns"...)
		if b.prefix != "" {
			dst = append(dst, ':')
			dst = append(dst, b.prefix...)
		}
		dst = append(dst, `="`...)
		dst = appendText(dst, b.namespace)
		dst = append(dst, '"')
	}
	c.used = nil
	c.added += len(dst)
	return string(dst)
}

// content returns the content of the element whose start was read last, as the
// client wrote it (RFC 4918 §4.3), and reads to its end. The namespaces that it
// uses and that were declared further out are declared on its outermost
// elements, so that it means the same elsewhere: wherever no default namespace
// is in scope.
func (x *xmlReader) content() (string, error) {
	depth, from := len(x.elements), x.decoder.InputOffset()
	x.source.record(from)
	x.capture.on, x.capture.outer = true, len(x.bindings)
	defer func() { x.source.recording, x.capture.on = false, false }()
	var content []byte
	copied, nameEnd := 0, 0 // in what was recorded
	for {
		token, err := x.token()
		if err != nil {
			return "", unexpectedEOF(err)
		}
		// Where the token begins.
		at := int(x.source.token - from)
		switch token.(type) {
		case xml.StartElement:
			if err := checkTag(x.source.recorded[at:]); err != nil {
				return "", err
			}
			if len(x.elements) == depth+1 {
				nameEnd = at + x.elements[depth].nameEnd()
			}
		case xml.EndElement:
			switch len(x.elements) {
			case depth:
				content = append(content, x.source.recorded[copied:nameEnd]...)
				content = append(content, x.capture.declarations()...)
				copied = nameEnd
			case depth - 1:
				content = append(content, x.source.recorded[copied:at]...)
				return string(content), checkCharacters(content)
			}
		}
		if x.capture.added > maxXMLAdded {
			return "", errors.New("too many elements use namespaces that are declared outside of the value")
		}
	}
}

// nameEnd returns where the name ends in the start tag.
func (e xmlElement) nameEnd() int {
	if e.raw.Space == "" {
		return len("<") + len(e.raw.Local)
	}
	return len("<") + len(e.raw.Space) + len(":") + len(e.raw.Local)
}

// checkTag makes sure that white space is between the attributes of a tag,
// which xml.Decoder does not ask for (XML 1.0 §3.1).
func checkTag(tag []byte) error {
	for {
		start := bytes.IndexAny(tag, `"'`)
		if start < 0 {
			return nil
		}
		end := start + 1 + bytes.IndexByte(tag[start+1:], tag[start])
		if tag = tag[end+1:]; strings.IndexByte(" \t\r\n/>", tag[0]) < 0 {
			return errors.New("there must be white space between attributes")
		}
	}
}

// checkCharacters makes sure that XML can hold what was recorded (XML 1.0
// §2.2). In comments xml.Decoder takes anything.
func checkCharacters(content []byte) error {
	for rest := content; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		if c == utf8.RuneError && size == 1 || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			return errors.New("a character is not allowed in XML")
		}
		rest = rest[size:]
	}
	return nil
}
