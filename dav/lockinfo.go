package dav

import (
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/davd/davd/dav/internal/status"
)

// lockinfo is the content of a LOCK's body (RFC 4918 §14.11).
type lockinfo struct {
	shared   bool
	ownerXML string
}

var errLockinfo = &status.Error{
	Status: http.StatusUnprocessableEntity,
	Reason: "a lock must be exclusive or shared, and of the type write",
}

// readLockinfo reads the body of r. It returns nil without a body, which means a
// refresh (RFC 4918 §9.10.2).
func (h *Handler) readLockinfo(w http.ResponseWriter, r *request) (info *lockinfo, err error) {
	_, err = h.readXML(w, r, "lockinfo", func(x *xmlReader) (err error) {
		info, err = x.lockinfo()
		return err
	})
	if err != nil {
		return nil, badXML(err)
	}
	return info, nil
}

// lockinfo reads the content of a lockinfo element.
func (x *xmlReader) lockinfo() (*lockinfo, error) {
	info := &lockinfo{}
	var scopes, types []xml.Name
	owners := 0
	err := x.children(func(e xml.StartElement) (err error) {
		switch e.Name {
		case davName("lockscope"):
			return x.names(&scopes)
		case davName("locktype"):
			return x.names(&types)
		case davName("owner"):
			owners++
			info.ownerXML, err = x.content()
			return err
		}
		return x.skip()
	})
	switch {
	case err != nil:
		return nil, err
	case owners > 1 || len(scopes) == 0 || len(types) == 0:
		return nil, errors.New("DAV:lockinfo must hold one lockscope, one locktype and at most one owner")
	case len(scopes) > 1 || len(types) > 1 || types[0] != davName("write"):
		return nil, errLockinfo
	case scopes[0] != davName("exclusive") && scopes[0] != davName("shared"):
		return nil, errLockinfo
	}
	info.shared = scopes[0] == davName("shared")
	return info, nil
}
