package dav

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// xmlReader reads a request body as a stream. It refuses what RFC 4918 §17
// and §20.6 warn of: document type declarations, and with them entities; and
// what is not namespace-well-formed.
type xmlReader struct {
	decoder *xml.Decoder
	depth   int
	// declared are the namespaces that were declared so far, in scope or not:
	// xml.Decoder puts a prefix that is not bound in the place of one.
	declared map[string]struct{}
}

// token returns the next start element, end element or text.
func (x *xmlReader) token() (xml.Token, error) {
	for {
		token, err := x.decoder.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.Comment:
		case xml.Directive:
			return nil, errors.New("a document type declaration is not allowed")
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, errors.New("a processing instruction is not allowed")
			}
		case xml.StartElement:
			if x.depth++; x.depth > maxXMLDepth {
				return nil, fmt.Errorf("elements are nested deeper than %d", maxXMLDepth)
			}
			return t, x.checkNamespaces(t)
		case xml.EndElement:
			x.depth--
			return t, nil
		default:
			return token, nil
		}
	}
}

// The namespaces that no prefix but their own may be bound to (Namespaces in
// XML 1.0 §3).
const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// checkNamespaces refuses what is not namespace-well-formed (Namespaces in XML
// 1.0 §3 to §5) and what xml.Decoder would take for something else: a prefix
// that is bound to nothing for one without a namespace, one that is not bound
// for a namespace, a stray colon for a part of the name. Any of those could
// not be written back as the name of a property.
func (x *xmlReader) checkNamespaces(e xml.StartElement) error {
	for _, a := range e.Attr {
		if err := x.declare(a); err != nil {
			return err
		}
	}
	if e.Name.Space == xmlNamespace {
		return fmt.Errorf("the element %s has the prefix xml", e.Name.Local)
	}
	if err := x.checkName(e.Name); err != nil {
		return err
	}
	for _, a := range e.Attr {
		if a.Name.Space != "xmlns" && a.Name.Space != xmlNamespace {
			if err := x.checkName(a.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// declare notes the namespace that a declares, if it does.
func (x *xmlReader) declare(a xml.Attr) error {
	prefix := a.Name.Local
	switch {
	case a.Name == xml.Name{Local: "xmlns"}:
		prefix = ""
	case a.Name.Space != "xmlns":
		return nil
	case a.Value == "":
		return fmt.Errorf("the namespace prefix %s is bound to an empty name", prefix)
	}
	if prefix == "xmlns" || a.Value == xmlnsNamespace || (prefix == "xml") != (a.Value == xmlNamespace) {
		return fmt.Errorf("the namespace prefix %q is bound to %q", prefix, a.Value)
	}
	if x.declared == nil {
		x.declared = make(map[string]struct{})
	}
	x.declared[a.Value] = struct{}{}
	return nil
}

func (x *xmlReader) checkName(name xml.Name) error {
	_, declared := x.declared[name.Space]
	switch {
	case strings.Contains(name.Local, ":"):
		return fmt.Errorf("%s is no name", name.Local)
	case name.Space != "" && !declared:
		return fmt.Errorf("the namespace prefix %s is not bound", name.Space)
	}
	return nil
}

// start returns the next start element; io.EOF when there is none. Text in
// front of it must be white space or, at the start, a byte order mark.
func (x *xmlReader) start() (xml.StartElement, error) {
	for {
		atStart := x.decoder.InputOffset() == 0
		token, err := x.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			text := string(t)
			if atStart {
				text = strings.TrimPrefix(text, "\ufeff")
			}
			if strings.TrimSpace(text) != "" {
				return xml.StartElement{}, errors.New("text outside of the root element")
			}
		}
	}
}

// end makes sure that nothing follows the root element.
func (x *xmlReader) end() error {
	_, err := x.start()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errors.New("a second root element")
	}
	return err
}

// children calls child for each element directly in the one whose start was
// read last. child must read up to the element's end.
func (x *xmlReader) children(child func(xml.StartElement) error) error {
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

// skip reads up to the end of the element whose start was read last.
func (x *xmlReader) skip() error {
	return x.children(func(xml.StartElement) error { return x.skip() })
}

// unexpectedEOF tells an end of the body inside an element from a proper one.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
