package deadprops

import (
	"encoding/xml"
	"slices"

	"golang.org/x/net/webdav"
)

// Query says what [Store.Read] returns.
type Query struct {
	// Names are the resources.
	Names []string
	// Props are the XML names of the properties; nil: all.
	Props []xml.Name
	// NamesOnly leaves out languages and values.
	NamesOnly bool
	// After, if it is not the zero Name, leaves out the properties up to and with
	// it, in the order of Read. It is for one resource.
	After xml.Name
	// MaxBytes limits the [Size] of all that is returned. Zero: no limit.
	MaxBytes int
}

// Next is the first property that did not fit in [Query.MaxBytes].
type Next struct {
	Name xml.Name
	// Bytes is its Size.
	Bytes int
}

// overhead is what a property takes up beside its name, language and value.
const overhead = 64

// Size is how much room a property takes up, in bytes: its name, language and
// value, and 64 for the rest.
func Size(p webdav.Property) int {
	return overhead + len(p.XMLName.Space) + len(p.XMLName.Local) + len(p.Lang) + len(p.InnerXML)
}

// Selection is for a [Store] that has its properties in memory: it gathers what a
// Query asks for.
type Selection struct {
	Query
	// Found are the properties by their resources. It shares their values.
	Found map[string][]webdav.Property
	// Next is not nil when there was more.
	Next *Next
	used int
}

// Add adds a property of name if the Query asks for it. It reports false when there
// is no more room: nothing may be added then.
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
