package listing

import (
	"cmp"
	"context"
	"encoding/xml"
	"io/fs"
	"path"
	"strconv"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
)

// resource is the source of live property values.
type resource struct {
	name string
	info fs.FileInfo
	// at is the place of the resource; it is set if the request asks for locks.
	at place.Place
}

// liveValues computes the values of live properties for one request.
type liveValues struct {
	ctx    context.Context  //nolint:containedctx // lives as long as the request
	locks  *locktable.Index // nil: not requested
	quotas *quotas          // nil: not requested
	shared bool             // the LockSystem has shared locks
	// fsys decides about the rights of the principal, unless the server is readOnly.
	fsys     storage.FS
	readOnly bool
}

// liveProp is a property that the server computes (RFC 4918 §15).
type liveProp struct {
	name string // in the namespace DAV:
	// collection, file: the kinds of resources that can have it.
	collection, file bool
	// named: only sent to clients that name it, not in allprop and propname.
	named bool
	// settable: a client may set a value. That becomes a dead property, which replaces this
	// one (RFC 4918 §15.2).
	settable bool
	// value appends the content of the property's element, which may use the prefix D for
	// DAV:. It returns false if the property is not defined.
	value func(v *liveValues, dst []byte, r resource) ([]byte, bool)

	start, end, empty string // tags
}

// liveProps has the order of the properties in allprop and propname.
var liveProps = withTags([]liveProp{
	{name: "resourcetype", collection: true, file: true, value: appendResourceType},
	{name: "displayname", collection: true, file: true, settable: true, value: appendDisplayName},
	{name: "creationdate", collection: true, file: true, value: appendCreationDate},
	{name: "getcontentlength", file: true, value: appendContentLength},
	// RFC 4918 §15.7 makes it optional for collections. Clients sort by it.
	{name: "getlastmodified", collection: true, file: true, value: appendLastModified},
	{name: "getcontenttype", file: true, value: appendContentType},
	// A GET sends no Content-Language, so no resource has this property (RFC 4918 §15.3).
	// Clients can't set it either, because a GET would not send the value.
	{name: "getcontentlanguage", named: true},
	{name: "getetag", collection: true, file: true, value: appendETag},
	{name: "supportedlock", collection: true, file: true, value: appendSupportedLock},
	{name: "lockdiscovery", collection: true, file: true, value: appendLockDiscovery},
	// RFC 4331 §2: not in allprop.
	{name: "quota-available-bytes", collection: true, named: true, value: appendQuotaAvailable},
	{name: "quota-used-bytes", collection: true, named: true, value: appendQuotaUsed},
	// RFC 3744 §5.4: not in allprop.
	{name: "current-user-privilege-set", collection: true, file: true, named: true, value: appendPrivileges},
})

func withTags(props []liveProp) []liveProp {
	for i := range props {
		p := &props[i]
		p.start, p.end, p.empty = "<D:"+p.name+">", "</D:"+p.name+">", "<D:"+p.name+"/>"
	}
	return props
}

// livePropIndex maps the names of liveProps to the properties.
var livePropIndex = func() map[string]*liveProp {
	index := make(map[string]*liveProp, len(liveProps))
	for i := range liveProps {
		index[liveProps[i].name] = &liveProps[i]
	}
	return index
}()

// lookupLive returns the live property name, or nil.
func lookupLive(name xml.Name) *liveProp {
	if name.Space != "DAV:" {
		return nil
	}
	return livePropIndex[name.Local]
}

// Protected reports whether only the server can set the property name (RFC 4918 §15).
func Protected(name xml.Name) bool {
	live := lookupLive(name)
	return live != nil && !live.settable
}

// append appends the content of the property's element. It returns false if r doesn't
// have the property.
func (p *liveProp) append(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.info.IsDir() && !p.collection || !r.info.IsDir() && !p.file {
		return dst, false
	}
	return p.value(v, dst, r)
}

// appendLive appends a live property, and reports whether r has it.
func appendLive(e *davxml.Elements, p *liveProp, v *liveValues, r resource) bool {
	before := len(e.Buf)
	e.Buf = append(e.Buf, p.start...)
	start := len(e.Buf)
	var defined bool
	e.Buf, defined = p.append(v, e.Buf, r)
	switch {
	case !defined:
		e.Buf = e.Buf[:before]
	case len(e.Buf) == start:
		e.Buf = append(e.Buf[:before], p.empty...)
	default:
		e.Buf = append(e.Buf, p.end...)
	}
	return defined
}

func appendResourceType(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.info.IsDir() {
		dst = append(dst, "<D:collection/>"...)
	}
	return dst, true
}

// appendDisplayName leaves the name of the root empty, because clients should not see
// it.
func appendDisplayName(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.name == "/" {
		return dst, true
	}
	return davxml.AppendText(dst, path.Base(r.name)), true
}

// appendCreationDate appends nothing if the storage doesn't know the date (RFC 4918
// §15.1).
func appendCreationDate(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	born := storage.Born(r.info)
	if born.IsZero() {
		return dst, false
	}
	return field.AppendTimestamp(dst, born), true
}

func appendContentLength(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	return strconv.AppendInt(dst, r.info.Size(), 10), true
}

func appendLastModified(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	return field.AppendHTTPDate(dst, r.info.ModTime()), true
}

// appendContentType only uses the name, because a listing opens no files.
func appendContentType(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	return davxml.AppendText(dst, cmp.Or(browser.ContentType(v.ctx, r.name, r.info), browser.UnknownType)), true
}

func appendETag(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	tag := place.OwnTag(v.ctx, r.info)
	if tag != "" {
		return davxml.AppendText(dst, tag), true
	}
	dst = append(dst, '"')
	dst, _ = storage.AppendVersion(dst, r.info)
	return append(dst, '"'), true
}

// Lockentry elements of supportedlock (RFC 4918 §15.10).
const (
	exclusiveLock = "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
	sharedLock    = "<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
)

func appendSupportedLock(v *liveValues, dst []byte, _ resource) ([]byte, bool) {
	dst = append(dst, exclusiveLock...)
	if v.shared {
		dst = append(dst, sharedLock...)
	}
	return dst, true
}

func appendLockDiscovery(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	if v.locks == nil {
		return dst, true
	}
	return v.locks.Append(dst, r.at), true
}
