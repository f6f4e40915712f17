package dav

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// maxXMLProps is the number of properties that a request may name. The answer has each
// for every resource.
const maxXMLProps = 1024

// propfindRequest is the content of a PROPFIND (RFC 4918 §14.20). One of
// propname, allprop and len(props) > 0 is true.
type propfindRequest struct {
	propname bool
	allprop  bool
	props    []xml.Name // with allprop, the properties to include
}

// asks reports whether the client wants the value of the live property.
func (p propfindRequest) asks(live *liveProp) bool {
	return p.allprop && !live.named || !p.propname && slices.Contains(p.props, davName(live.name))
}

// asksDead reports whether the answer may contain a dead property.
func (p propfindRequest) asksDead() bool {
	return p.propname || p.allprop || slices.ContainsFunc(p.props, func(name xml.Name) bool { return !protected(name) })
}

// setMinimal records in header that the server applied the preference in field.
func setMinimal(header http.Header, field string) {
	header.Add("Vary", field)
	if field == "Prefer" {
		header.Set("Preference-Applied", "return=minimal")
	}
}

// readPropfind reads the body of r. No body means allprop (RFC 4918 §9.1).
func (h *Handler) readPropfind(w http.ResponseWriter, r *request) (*propfindQuery, error) {
	body, err := h.xmlBody(w, r)
	if err != nil {
		return nil, badXML(err)
	}
	query, err := h.propfinds.read(body)
	if err != nil {
		return nil, badXML(err)
	}
	return query, nil
}

// parsePropfind parses a body from xmlBody.
func parsePropfind(body io.Reader) (request propfindRequest, err error) {
	found, err := parseXML(body, "propfind", request.read)
	if !found {
		request.allprop = true
	}
	return request, err
}

// read reads the content of a propfind element. It ignores unknown elements (RFC 4918
// §17).
func (p *propfindRequest) read(x *xmlReader) error {
	var include bool
	kinds := 0
	err := x.children(func(e xml.StartElement) error {
		switch e.Name {
		case davName("propname"):
			kinds++
			p.propname = true
		case davName("allprop"):
			kinds++
			p.allprop = true
		case davName("prop"):
			kinds++
			return x.names(&p.props)
		case davName("include"):
			include = true
			return x.names(&p.props)
		}
		return x.skip()
	})
	switch {
	case err != nil:
		return err
	case kinds != 1:
		return errors.New("DAV:propfind must contain one of propname, allprop and prop")
	case include && !p.allprop:
		return errors.New("DAV:include needs DAV:allprop")
	}
	return nil
}

// names reads the names of the elements in a prop or include element, each
// once.
func (x *xmlReader) names(names *[]xml.Name) error {
	known := make(map[xml.Name]struct{})
	for _, name := range *names {
		known[name] = struct{}{}
	}
	return x.children(func(e xml.StartElement) error {
		if _, twice := known[e.Name]; !twice {
			known[e.Name] = struct{}{}
			*names = append(*names, e.Name)
		}
		if len(*names) > maxXMLProps {
			return fmt.Errorf("more than %d properties", maxXMLProps)
		}
		return x.skip()
	})
}
