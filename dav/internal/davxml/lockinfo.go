package davxml

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
)

// Lockinfo is the content of a LOCK's body (RFC 4918 §14.11).
type Lockinfo struct {
	Shared   bool
	OwnerXML string
}

var errLockinfo = &status.Error{
	Status: http.StatusUnprocessableEntity,
	Reason: "a lock must be exclusive or shared, and of the type write",
}

// ParseLockinfo parses a lockinfo element. It returns nil for an empty body.
func ParseLockinfo(body io.Reader) (*Lockinfo, error) {
	info, _, err := readRoot(body, "lockinfo", (*Reader).lockinfo)
	return info, err
}

// lockinfo reads the content of a lockinfo element.
func (x *Reader) lockinfo() (*Lockinfo, error) {
	info := &Lockinfo{}
	var scopes, types []xml.Name
	owners := 0
	err := x.Children(func(e xml.StartElement) (err error) {
		switch e.Name {
		case Name("lockscope"):
			return x.names(&scopes)
		case Name("locktype"):
			return x.names(&types)
		case Name("owner"):
			owners++
			info.OwnerXML, err = x.content()
			return err
		}
		return x.skip()
	})
	switch {
	case err != nil:
		return nil, err
	case owners > 1 || len(scopes) == 0 || len(types) == 0:
		return nil, errors.New("DAV:lockinfo must hold one lockscope, one locktype and at most one owner")
	case len(scopes) > 1 || len(types) > 1 || types[0] != Name("write"):
		return nil, errLockinfo
	case scopes[0] != Name("exclusive") && scopes[0] != Name("shared"):
		return nil, errLockinfo
	}
	info.Shared = scopes[0] == Name("shared")
	return info, nil
}
