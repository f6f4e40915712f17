package dav

import (
	"cmp"
	"context"
	"encoding/xml"
	"io/fs"
	"path"
	"strconv"

	"github.com/davd/davd/storage"
)

// resource is what live properties are made from.
type resource struct {
	name string
	info fs.FileInfo
	// at is where the name leads, if somebody asked for locks.
	at place
}

// liveValues makes the values of live properties for one request.
type liveValues struct {
	handler *Handler
	ctx     context.Context //nolint:containedctx // lives as long as the request
	locks   *lockIndex      // nil: none was asked for
	quota   *quota          // nil: there is none, or none was asked for
	shared  bool            // there are shared locks
}

// liveProp is a property that the server computes (RFC 4918 §15).
type liveProp struct {
	name string // in the namespace DAV:
	// collection, file: such a resource has it, if value makes one.
	collection, file bool
	// named: it is for those who name it, not for allprop and propname.
	named bool
	// settable: a client may give it a value, which is then a dead property and
	// stands before this one (RFC 4918 §15.2).
	settable bool
	// value appends the content of the property's element, in which the prefix D
	// stands for DAV:. It returns false where the property is not defined.
	value func(v *liveValues, dst []byte, r resource) ([]byte, bool)

	start, end, empty string // tags
}

// liveProps are in the order in which allprop and propname show them.
var liveProps = withTags([]liveProp{
	{name: "resourcetype", collection: true, file: true, value: appendResourceType},
	{name: "displayname", collection: true, file: true, settable: true, value: appendDisplayName},
	{name: "creationdate", collection: true, file: true, value: appendCreationDate},
	{name: "getcontentlength", file: true, value: appendContentLength},
	// RFC 4918 §15.7 leaves it open for collections; clients sort by it.
	{name: "getlastmodified", collection: true, file: true, value: appendLastModified},
	{name: "getcontenttype", file: true, value: appendContentType},
	// A GET sends no Content-Language, so no resource has this property (RFC 4918
	// §15.3). A client can't set it either: its value would say nothing of a GET.
	{name: "getcontentlanguage", named: true},
	{name: "getetag", collection: true, file: true, value: appendETag},
	{name: "supportedlock", collection: true, file: true, value: appendSupportedLock},
	{name: "lockdiscovery", collection: true, file: true, value: appendLockDiscovery},
	// RFC 4331 §2: not in allprop.
	{name: "quota-available-bytes", collection: true, named: true, value: appendQuotaAvailable},
	{name: "quota-used-bytes", collection: true, named: true, value: appendQuotaUsed},
})

func withTags(props []liveProp) []liveProp {
	for i := range props {
		p := &props[i]
		p.start, p.end, p.empty = "<D:"+p.name+">", "</D:"+p.name+">", "<D:"+p.name+"/>"
	}
	return props
}

// livePropIndex finds a property of liveProps by name.
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

// protected reports whether only the server can give name a value (RFC 4918
// §15).
func protected(name xml.Name) bool {
	live := lookupLive(name)
	return live != nil && !live.settable
}

// append appends the content of the property's element. It returns false where
// r does not have the property.
func (p *liveProp) append(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.info.IsDir() && !p.collection || !r.info.IsDir() && !p.file {
		return dst, false
	}
	return p.value(v, dst, r)
}

func appendResourceType(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.info.IsDir() {
		dst = append(dst, "<D:collection/>"...)
	}
	return dst, true
}

// appendDisplayName hides the name of the root, which is none of the client's
// business.
func appendDisplayName(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	if r.name == "/" {
		return dst, true
	}
	return appendText(dst, path.Base(r.name)), true
}

// appendCreationDate leaves it undefined where nobody has kept it, as RFC 4918
// §15.1 says.
func appendCreationDate(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	born, known := storage.Born(r.info)
	if !known {
		var err error
		if born, err = storage.BirthTime(v.ctx, v.handler.FileSystem, r.name); err != nil {
			return dst, false
		}
	}
	if born.IsZero() {
		return dst, false
	}
	return appendTimestamp(dst, born), true
}

func appendContentLength(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	return strconv.AppendInt(dst, r.info.Size(), 10), true
}

func appendLastModified(_ *liveValues, dst []byte, r resource) ([]byte, bool) {
	return appendHTTPDate(dst, r.info.ModTime()), true
}

// appendContentType goes by the name alone: no file is opened to list it.
func appendContentType(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	return appendText(dst, cmp.Or(contentType(v.ctx, r.name, r.info), unknownType)), true
}

func appendETag(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	tag := ownTag(v.ctx, r.info)
	if tag != "" {
		return appendText(dst, tag), true
	}
	dst = append(dst, '"')
	dst, _ = storage.AppendVersion(dst, r.info)
	return append(dst, '"'), true
}

// The lockentry elements of supportedlock (RFC 4918 §15.10).
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
	return v.locks.append(dst, r.at), true
}
