package davxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// MaxProps is the number of properties that a request may name. The answer has each
// for every resource.
const MaxProps = 1024

// Propfind is the content of a PROPFIND (RFC 4918 §14.20). One of
// propname, allprop and len(props) > 0 is true.
type Propfind struct {
	Propname bool
	Allprop  bool
	Props    []xml.Name // with allprop, the properties to include
}

// ParsePropfind parses a propfind element. An empty body means allprop (RFC 4918 §9.1).
func ParsePropfind(body io.Reader) (Propfind, error) {
	request, found, err := readRoot(body, "propfind", (*Reader).propfind)
	if !found {
		request.Allprop = true
	}
	return request, err
}

// propfind reads the content of a propfind element. It ignores unknown elements (RFC 4918
// §17).
func (x *Reader) propfind() (p Propfind, err error) {
	var include bool
	kinds := 0
	err = x.Children(func(e xml.StartElement) error {
		switch e.Name {
		case Name("propname"):
			kinds++
			p.Propname = true
		case Name("allprop"):
			kinds++
			p.Allprop = true
		case Name("prop"):
			kinds++
			return x.names(&p.Props)
		case Name("include"):
			include = true
			return x.names(&p.Props)
		}
		return x.skip()
	})
	switch {
	case err != nil:
	case kinds != 1:
		err = errors.New("DAV:propfind must contain one of propname, allprop and prop")
	case include && !p.Allprop:
		err = errors.New("DAV:include needs DAV:allprop")
	}
	return p, err
}

// names reads the names of the elements in a prop or include element, each
// once.
func (x *Reader) names(names *[]xml.Name) error {
	known := make(map[xml.Name]struct{})
	for _, name := range *names {
		known[name] = struct{}{}
	}
	return x.Children(func(e xml.StartElement) error {
		if _, twice := known[e.Name]; !twice {
			known[e.Name] = struct{}{}
			*names = append(*names, e.Name)
		}
		if len(*names) > MaxProps {
			return fmt.Errorf("more than %d properties", MaxProps)
		}
		return x.skip()
	})
}
