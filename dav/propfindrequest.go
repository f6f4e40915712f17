package dav

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Bounds of a request body, against a client that means no good.
const (
	maxXMLBody  = 1 << 20 // bytes
	maxXMLDepth = 32
	maxXMLProps = 1024 // each is answered for each resource
)

// propfindRequest is the content of a PROPFIND (RFC 4918 §14.20). One of
// propname, allprop and len(props) > 0 is true.
type propfindRequest struct {
	propname bool
	allprop  bool
	props    []xml.Name // with allprop: those to include
}

// readPropfind reads the body of r. No body is allprop (RFC 4918 §9.1).
func readPropfind(w http.ResponseWriter, r *http.Request) (propfindRequest, error) {
	x := &xmlReader{decoder: xml.NewDecoder(http.MaxBytesReader(w, r.Body, maxXMLBody))}
	root, err := x.start()
	if errors.Is(err, io.EOF) && x.decoder.InputOffset() == 0 {
		return propfindRequest{allprop: true}, nil
	}
	if err != nil {
		return propfindRequest{}, badXML(err)
	}
	if root.Name != davName("propfind") {
		return propfindRequest{}, badXML(errors.New("the root element is not DAV:propfind"))
	}
	request, err := x.propfind()
	if err == nil {
		err = x.end()
	}
	if err != nil {
		return propfindRequest{}, badXML(err)
	}
	return request, nil
}

// badXML makes err fit for a client's eyes.
func badXML(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &statusError{http.StatusRequestEntityTooLarge, "the request body is larger than 1 MiB"}
	}
	return &statusError{http.StatusBadRequest, "the request body: " + err.Error()}
}

func davName(local string) xml.Name { return xml.Name{Space: "DAV:", Local: local} }

// propfind reads the content of a propfind element. Elements that it does not
// know are ignored (RFC 4918 §17).
func (x *xmlReader) propfind() (propfindRequest, error) {
	var request propfindRequest
	var include bool
	kinds := 0
	err := x.children(func(e xml.StartElement) error {
		switch e.Name {
		case davName("propname"):
			kinds++
			request.propname = true
		case davName("allprop"):
			kinds++
			request.allprop = true
		case davName("prop"):
			kinds++
			return x.names(&request.props)
		case davName("include"):
			include = true
			return x.names(&request.props)
		}
		return x.skip()
	})
	switch {
	case err != nil:
		return request, err
	case kinds != 1:
		return request, errors.New("DAV:propfind must hold one of propname, allprop and prop")
	case include && !request.allprop:
		return request, errors.New("DAV:include goes with DAV:allprop")
	}
	return request, nil
}

// names reads the names of the elements in a prop or include element, each
// once.
func (x *xmlReader) names(names *[]xml.Name) error {
	return x.children(func(e xml.StartElement) error {
		if !slices.Contains(*names, e.Name) {
			*names = append(*names, e.Name)
		}
		if len(*names) > maxXMLProps {
			return fmt.Errorf("more than %d properties", maxXMLProps)
		}
		return x.skip()
	})
}
