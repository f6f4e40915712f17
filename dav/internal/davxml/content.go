package davxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxXMLAdded limits the namespace declarations that content adds, in bytes, because many
// elements may use a long namespace.
const maxXMLAdded = 1 << 20

// xmlCapture is the state of an Reader while it captures content.
type xmlCapture struct {
	on bool
	// outer is the number of bindings in scope at the start of the content.
	outer int
	// used has the outer bindings that the current outermost element of the content
	// uses, or an element in it.
	used  []xmlBinding
	added int // bytes of declarations added in the whole body
}

// uses records that the binding i is used.
func (c *xmlCapture) uses(i int, b xmlBinding) {
	if c.on && i < c.outer && b.namespace != "" && b.prefix != "xml" && !slices.Contains(c.used, b) {
		c.used = append(c.used, b)
	}
}

// value records a prefix at the beginning of an attribute's value, because the value may
// be a name, as in xsi:type="xs:string" (RFC 4918 §4.3).
func (c *xmlCapture) value(x *Reader, value string) {
	if prefix, _, found := strings.Cut(value, ":"); c.on && found && prefix != "" {
		x.lookup(prefix)
	}
}

// declarations returns declarations of the bindings used since the last call, as
// attributes.
func (c *xmlCapture) declarations() string {
	var dst []byte
	for _, b := range c.used {
		name := "xmlns"
		if b.prefix != "" {
			name += ":" + b.prefix
		}
		dst = appendAttribute(dst, name, b.namespace)
	}
	c.used = nil
	c.added += len(dst)
	return string(dst)
}

// content reads the current element (whose start was read last) to its end. It returns
// the element's content as the client wrote it (RFC 4918 §4.3). If the content uses
// namespaces that are declared outside of it, content declares them on the outermost
// elements of the content. So the content keeps its meaning at any place where no
// default namespace is in scope.
func (x *Reader) content() (string, error) {
	depth, from := len(x.elements), x.decoder.InputOffset()
	x.source.record(from)
	x.capture.on, x.capture.outer = true, len(x.bindings)
	defer func() { x.source.recording, x.capture.on = false, false }()
	var content []byte
	copied, nameEnd := 0, 0 // offsets in x.source.recorded
	for {
		token, err := x.token()
		if err != nil {
			return "", unexpectedEOF(err)
		}
		at := int(x.source.token - from) // the start of the token
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

// nameEnd returns the offset of the end of the name in the start tag.
func (e xmlElement) nameEnd() int {
	if e.raw.Space == "" {
		return len("<") + len(e.raw.Local)
	}
	return len("<") + len(e.raw.Space) + len(":") + len(e.raw.Local)
}

// checkTag makes sure that white space separates the attributes of a tag (XML 1.0 §3.1).
// xml.Decoder does not check that.
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

// checkCharacters makes sure that XML allows the characters in content (XML 1.0 §2.2).
// xml.Decoder does not check comments.
func checkCharacters(content []byte) error {
	forbidden := func(c rune) bool {
		return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF
	}
	if !utf8.Valid(content) || bytes.ContainsFunc(content, forbidden) {
		return errors.New("a character is not allowed in XML")
	}
	return nil
}
