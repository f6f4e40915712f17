package listing

import "github.com/davd/davd/storage"

// privileges maps rights to the privileges of RFC 3744 §3. A privilege needs all its rights.
var privileges = []struct {
	// collection, file are the rights at a collection and at a file.
	collection, file storage.Right
	name             string
}{
	{storage.RightsRead, storage.RightRead, "read"},
	{storage.RightsWrite &^ storage.RightsRead, storage.RightWrite | storage.RightDelete, "write"},
	{storage.RightWrite, storage.RightWrite, "write-properties"},
	{storage.RightWrite, storage.RightWrite, "write-content"},
	{storage.RightCreate, 0, "bind"},
	{storage.RightDelete, 0, "unbind"},
}

// appendPrivileges appends what the principal may do with r (RFC 3744 §5.4). Every principal that
// sees a resource may read this property.
func appendPrivileges(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	rights := storage.RightsAt(v.ctx, v.fsys, r.name)
	if v.readOnly {
		rights &= storage.RightsRead
	}
	for _, p := range privileges {
		need := p.file
		if r.info.IsDir() {
			need = p.collection
		}
		if need != 0 && rights.Has(need) {
			dst = append(dst, "<D:privilege><D:"+p.name+"/></D:privilege>"...)
		}
	}
	return append(dst, "<D:privilege><D:read-current-user-privilege-set/></D:privilege>"...), true
}
