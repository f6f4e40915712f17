package deadprops

import (
	"encoding/xml"
	"slices"

	"golang.org/x/net/webdav"
)

// Query selects what [Store.Read] returns.
type Query struct {
	// Names are the storage names of the resources.
	Names []string
	// Props are the XML names of the properties; nil selects all.
	Props []xml.Name
	// NamesOnly leaves out languages and values.
	NamesOnly bool
	// After, if not the zero Name, leaves out this property and all before it, in the
	// order of Read. It is meant for a single resource.
	After xml.Name
	// MaxBytes limits the total [Size] of what is returned. Zero means no limit.
	MaxBytes int
}

// Next is the first property that did not fit into [Query.MaxBytes].
type Next struct {
	Name xml.Name
	// Bytes is the Size of the property.
	Bytes int
}

// overhead is what a property takes in addition to its name, language and value.
const overhead = 64

// Size returns how many bytes a property takes: its name, language and value, and 64
// for the rest.
func Size(p webdav.Property) int {
	return overhead + len(p.XMLName.Space) + len(p.XMLName.Local) + len(p.Lang) + len(p.InnerXML)
}

// Selection helps a [Store] that has its properties in memory: it collects those that a
// Query selects.
type Selection struct {
	Query
	// Found holds the properties by the names of their resources. It shares their
	// values.
	Found map[string][]webdav.Property
	// Next is nil unless a property did not fit.
	Next *Next
	used int
}

// Add adds a property of name if the Query selects it. It returns false if the property
// does not fit; then nothing more may be added.
func (s *Selection) Add(name string, p webdav.Property) bool {
	switch {
	case s.Props != nil && !slices.Contains(s.Props, p.XMLName):
		return true
	case s.After != xml.Name{} && Compare(p.XMLName, s.After) <= 0:
		return true
	case s.NamesOnly:
		p = webdav.Property{XMLName: p.XMLName}
	}
	size := Size(p)
	if s.MaxBytes > 0 && s.used+size > s.MaxBytes {
		s.Next = &Next{Name: p.XMLName, Bytes: size}
		return false
	}
	s.used += size
	if s.Found == nil {
		s.Found = make(map[string][]webdav.Property)
	}
	s.Found[name] = append(s.Found[name], p)
	return true
}
