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
// what is not namespace-well-formed as far as xml.Decoder lets it see that.
type xmlReader struct {
	decoder *xml.Decoder
	depth   int
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
			return t, checkNamespaces(t)
		case xml.EndElement:
			x.depth--
			return t, nil
		default:
			return token, nil
		}
	}
}

// checkNamespaces refuses a prefix bound to nothing (Namespaces in XML 1.0
// §5). xml.Decoder would take the element for one without a namespace.
func checkNamespaces(e xml.StartElement) error {
	for _, a := range e.Attr {
		if a.Name.Space == "xmlns" && a.Value == "" {
			return fmt.Errorf("the namespace prefix %s is bound to an empty name", a.Name.Local)
		}
	}
	return nil
}

// start returns the next start element; io.EOF when there is none. Text in
// front of it must be white space.
func (x *xmlReader) start() (xml.StartElement, error) {
	for {
		token, err := x.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
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
