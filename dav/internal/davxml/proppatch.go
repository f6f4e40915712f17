package davxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/webdav"
)

// ParseProppatch parses a propertyupdate element: its instructions in document order (RFC
// 4918 §9.2, §14.19). It returns at least one.
func ParseProppatch(body io.Reader) ([]webdav.Proppatch, error) {
	patches, found, err := readRoot(body, "propertyupdate", (*Reader).propertyUpdate)
	if err == nil && !found {
		err = io.EOF
	}
	return patches, unexpectedEOF(err)
}

// propertyUpdate reads the content of a propertyupdate element. It ignores unknown
// elements (RFC 4918 §17).
func (x *Reader) propertyUpdate() ([]webdav.Proppatch, error) {
	var patches []webdav.Proppatch
	total := 0
	err := x.Children(func(e xml.StartElement) error {
		if e.Name != Name("set") && e.Name != Name("remove") {
			return x.skip()
		}
		patch := webdav.Proppatch{Remove: e.Name.Local == "remove"}
		props := 0
		err := x.Children(func(e xml.StartElement) (err error) {
			if e.Name != Name("prop") {
				return x.skip()
			}
			props++
			patch.Props, err = x.Properties(patch.Remove, MaxProps-total)
			return err
		})
		if err == nil && props != 1 {
			err = fmt.Errorf("DAV:%s must contain one DAV:prop", e.Name.Local)
		}
		if total += len(patch.Props); len(patch.Props) > 0 {
			patches = append(patches, patch)
		}
		return err
	})
	if err == nil && total == 0 {
		err = errors.New("DAV:propertyupdate names no property")
	}
	return patches, err
}

// Properties reads at most limit properties of a prop element (RFC 4918 §14.18). If
// remove is true, it ignores their values (§14.23).
func (x *Reader) Properties(remove bool, limit int) ([]webdav.Property, error) {
	var properties []webdav.Property
	err := x.Children(func(e xml.StartElement) error {
		if len(properties) == limit {
			return fmt.Errorf("more than %d properties", MaxProps)
		}
		property := webdav.Property{XMLName: e.Name}
		if remove {
			properties = append(properties, property)
			return x.skip()
		}
		property.Lang = x.lang()
		content, err := x.content()
		property.InnerXML = []byte(content)
		properties = append(properties, property)
		return err
	})
	return properties, err
}
