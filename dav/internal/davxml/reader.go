package davxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of an XML body, against hostile clients.
const (
	maxXMLDepth      = 32
	maxXMLAttributes = 256      // of one element
	maxXMLTag        = 64 << 10 // bytes of a tag, before xml.Decoder parses it
	maxXMLName       = 1 << 10  // bytes of a name, a namespace or a language
)

// Reader reads a request body as a stream. It refuses the dangers in RFC 4918 §17 and
// §20.6: document type declarations (and so entities) and processing instructions. It
// also refuses XML that is not namespace-well-formed, so that the server can write back
// everything that it accepts.
type Reader struct {
	source   *xmlSource
	decoder  *xml.Decoder
	blank    bool         // there is no body
	elements []xmlElement // open ones
	bindings []xmlBinding // of prefixes in scope, the innermost last
	capture  xmlCapture
}

// xmlElement is an element that has not ended.
type xmlElement struct {
	raw      xml.Name // Space is the prefix
	lang     string   // xml:lang in scope
	bindings int      // the number of bindings in scope around the element
}

// xmlBinding binds a prefix, "" for the default namespace, to a namespace.
type xmlBinding struct{ prefix, namespace string }

// Only their own prefixes may be bound to these namespaces (Namespaces in XML 1.0 §3).
const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// token returns the next start element, end element or text. In a start element, prefixes
// in names are replaced by namespaces.
func (x *Reader) token() (xml.Token, error) {
	for {
		offset := x.decoder.InputOffset()
		x.source.token, x.source.tag = offset, false
		token, err := x.decoder.RawToken()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.Comment:
		case xml.Directive:
			return nil, errors.New("a document type declaration is not allowed")
		case xml.ProcInst:
			if t.Target != "xml" || offset != 0 {
				return nil, errors.New("a processing instruction is not allowed")
			}
		case xml.StartElement:
			return x.open(t)
		case xml.EndElement:
			return t, x.close(t)
		default:
			return token, nil
		}
	}
}

// open makes raw, from xml.Decoder.RawToken, the innermost element.
func (x *Reader) open(raw xml.StartElement) (e xml.StartElement, err error) {
	switch {
	case len(x.elements) == maxXMLDepth:
		return e, fmt.Errorf("elements are nested deeper than %d", maxXMLDepth)
	case len(raw.Attr) > maxXMLAttributes:
		return e, fmt.Errorf("an element has more than %d attributes", maxXMLAttributes)
	}
	element := xmlElement{raw: raw.Name, lang: x.lang(), bindings: len(x.bindings)}
	for _, a := range raw.Attr {
		if err := x.declare(a); err != nil {
			return e, err
		}
	}
	if e.Name, err = x.resolve(raw.Name, true); err != nil {
		return e, err
	}
	if e.Attr, err = x.attributes(raw.Attr); err != nil {
		return e, err
	}
	for _, a := range e.Attr {
		if a.Name == (xml.Name{Space: xmlNamespace, Local: "lang"}) {
			if element.lang = a.Value; len(a.Value) > maxXMLName {
				return e, errLongName
			}
		}
	}
	x.elements = append(x.elements, element)
	return e, nil
}

// attributes returns raw with namespaces instead of prefixes. No two attributes may have
// the same name (XML 1.0 §3.1, Namespaces in XML 1.0 §6.3).
func (x *Reader) attributes(raw []xml.Attr) ([]xml.Attr, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	attributes := make([]xml.Attr, 0, len(raw))
	seen := make(map[xml.Name]struct{}, len(raw))
	for _, a := range raw {
		name, err := x.attributeName(a)
		if err != nil {
			return nil, err
		}
		if _, twice := seen[name]; twice {
			return nil, fmt.Errorf("the attribute %s is repeated", name.Local)
		}
		seen[name] = struct{}{}
		attributes = append(attributes, xml.Attr{Name: name, Value: a.Value})
	}
	return attributes, nil
}

// close ends the innermost element.
func (x *Reader) close(end xml.EndElement) error {
	if len(x.elements) == 0 {
		return fmt.Errorf("the element %s ends without a start tag", end.Name.Local)
	}
	last := x.elements[len(x.elements)-1]
	if last.raw != end.Name {
		return fmt.Errorf("the element %s has the end tag of %s", last.raw.Local, end.Name.Local)
	}
	x.elements = x.elements[:len(x.elements)-1]
	x.bindings = x.bindings[:last.bindings]
	return nil
}

// lang returns the xml:lang in scope of the current element, whose start was read last
// (RFC 4918 §4.3).
func (x *Reader) lang() string {
	if len(x.elements) == 0 {
		return ""
	}
	return x.elements[len(x.elements)-1].lang
}

// declare binds a prefix if a is a namespace declaration (Namespaces in XML 1.0 §3, §5).
func (x *Reader) declare(a xml.Attr) error {
	prefix := a.Name.Local
	switch {
	case a.Name == xml.Name{Local: "xmlns"}:
		prefix = ""
	case a.Name.Space != "xmlns":
		return nil
	case a.Value == "":
		return fmt.Errorf("the namespace prefix %s is bound to an empty name", prefix)
	case !isNCName(prefix):
		return fmt.Errorf("%s is not a valid namespace prefix", prefix)
	}
	switch {
	case prefix == "xmlns" || a.Value == xmlnsNamespace || (prefix == "xml") != (a.Value == xmlNamespace):
		return fmt.Errorf("the namespace prefix %q is bound to %q", prefix, a.Value)
	case len(prefix)+len(a.Value) > maxXMLName:
		return errLongName
	}
	x.bindings = append(x.bindings, xmlBinding{prefix, a.Value})
	return nil
}

// attributeName returns the name of a with its namespace. The name of a namespace
// declaration stays as xml.Decoder returns it.
func (x *Reader) attributeName(a xml.Attr) (xml.Name, error) {
	switch a.Name.Space {
	case "xmlns":
		return a.Name, nil
	case "xml":
		return xml.Name{Space: xmlNamespace, Local: a.Name.Local}, nil
	}
	x.capture.value(x, a.Value)
	return x.resolve(a.Name, false)
}

var errLongName = fmt.Errorf("a name is longer than %d bytes", maxXMLName)

// resolve returns raw with its namespace instead of its prefix. The default namespace
// applies only to elements.
func (x *Reader) resolve(raw xml.Name, element bool) (xml.Name, error) {
	switch {
	case len(raw.Space)+len(raw.Local) > maxXMLName:
		return raw, errLongName
	case strings.Contains(raw.Local, ":") || raw.Space != "" && !isNCName(raw.Local):
		return raw, fmt.Errorf("%s is not a valid name", raw.Local)
	case raw.Space == "" && !element:
		return raw, nil
	}
	namespace, bound := x.lookup(raw.Space)
	if !bound && raw.Space != "" {
		return raw, fmt.Errorf("the namespace prefix %s is not bound", raw.Space)
	}
	return xml.Name{Space: namespace, Local: raw.Local}, nil
}

// lookup returns the namespace that prefix is bound to.
func (x *Reader) lookup(prefix string) (namespace string, bound bool) {
	for i := len(x.bindings) - 1; i >= 0; i-- {
		if b := x.bindings[i]; b.prefix == prefix {
			x.capture.uses(i, b)
			return b.namespace, true
		}
	}
	return "", false
}

// isNCName reports whether local, a part of a name that xml.Decoder accepted, is a valid
// name by itself (Namespaces in XML 1.0 §4).
func isNCName(local string) bool {
	c := local[0]
	if c < utf8.RuneSelf {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
	}
	_, err := xml.NewDecoder(strings.NewReader("<" + local + "/>")).RawToken()
	return err == nil
}

// Start returns the next start element, or io.EOF at the end. Any text before it must be
// white space.
func (x *Reader) Start() (xml.StartElement, error) {
	for {
		token, err := x.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if strings.Trim(string(t), " \t\r\n") != "" {
				return xml.StartElement{}, errors.New("text outside of the root element")
			}
		}
	}
}

// end makes sure that nothing follows the root element.
func (x *Reader) end() error {
	_, err := x.Start()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errors.New("a second root element")
	}
	return err
}

// Children calls child for each child element of the current element, whose start was
// read last. child must read to the end of its element.
func (x *Reader) Children(child func(xml.StartElement) error) error {
	for {
		token, err := x.token()
		if err != nil {
			return unexpectedEOF(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := child(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// skip reads to the end of the current element.
func (x *Reader) skip() error {
	return x.Children(func(xml.StartElement) error { return x.skip() })
}

// unexpectedEOF replaces io.EOF, which inside an element means that the body was cut off.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
