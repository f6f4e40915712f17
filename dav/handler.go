package dav

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/requestbody"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/tree"
)

// Handler serves a tree of files over WebDAV. FileSystem must be set; the
// zero value of every other field is useful. A Handler must not be copied
// once it has served a request.
type Handler struct {
	// Prefix is the URL path prefix to strip from WebDAV resource paths. It
	// ends at a segment: with "/dav", "/davd" is not served.
	Prefix string
	// FileSystem is the virtual file system. If it chooses one of several trees by
	// the context, Tenant must say which one: otherwise the locks, properties and
	// operations of one tree apply to the others. Several Handlers may serve one
	// FileSystem only if they share a LockSystem.
	FileSystem webdav.FileSystem
	// LockSystem is the lock management system. One that is a lock.Manager can
	// do all of RFC 4918; any other what x/net's can: exclusive locks, which
	// can't be listed. Nil: a lock.System in memory, gone with the Handler.
	//
	// Several Handlers may share one LockSystem. They then exclude one another from
	// what one of them is changing. Handlers whose files differ need different
	// Tenants, because a LockSystem knows names and not files.
	LockSystem webdav.LockSystem
	// Logger is an optional error logger. If non-nil, it will be called for
	// all HTTP requests, at their end.
	Logger func(*http.Request, error)
	// OperationLogger, if not nil, is called with what no request is there for any
	// more: how an operation ended, well (nil) or not, that none of its clients has
	// waited for, and why the record of one could not be kept.
	OperationLogger func(Operation, error)

	// Properties keeps dead properties. Nil: the files of FileSystem do if they
	// are webdav.DeadPropsHolders; otherwise they are in memory, gone with the
	// Handler. Several Handlers may share a Store as they may share a LockSystem,
	// and should share both or neither. Properties belong to names, whoever asks:
	// Principal makes no difference, Tenant does.
	Properties deadprops.Store
	// PropertyLimits bound what dead properties may take up: what exceeds them is
	// refused with 507. The zero value is 64 KiB for each property, 1 MiB for each
	// resource and 256 MiB for each principal. Files that are
	// webdav.DeadPropsHolders keep only the first two, and give all properties of a
	// file at once: there a listing needs as much memory as one file has. Properties
	// beyond the limits, from before, can be read and removed.
	PropertyLimits deadprops.Limits
	// Journal keeps what is under way, so that Recover can finish or undo what a
	// process has left when it died. It belongs to LockSystem and Properties: all
	// three are kept across restarts, or none. Nil: what is left stays. Recover takes
	// each record for one of FileSystem, with its tenant in the context
	// (storage.TenantOf): Handlers of different files need different Journals.
	Journal tree.Journal
	// History keeps what became of operations for a day, for their status
	// documents (OperationsName). Nil: in memory, gone with the Handler. It may be
	// shared as the Journal may.
	History history.Store
	// Tenant returns which of several independent trees, and which part of the state,
	// the request is about. Two requests with the same tenant must meet the same files.
	// Requests with different tenants share nothing: neither locks, dead properties,
	// claims, operations, status documents nor history, and neither those of
	// Administrator. All names may be the same. The tenant is in the context of every
	// call of FileSystem (storage.TenantOf), also during Recover. Any bytes will do, up
	// to 1024; a longer name is a 500. Users of one tree are principals of one tenant:
	// they see each other's locks. Nil: one tenant, whose state is another one than
	// that of the tenant "".
	Tenant func(*http.Request) string
	// Principal returns the name of the person or program that sent the request, "" if
	// that is unknown. It must be authenticated, and the same for every request of one
	// person. It decides whose a lock is, and whose an operation: only its creator may
	// see and use its token, or its status document. An identical COPY, MOVE or
	// DELETE of the same principal joins the one under way, or gets the answer that
	// could not be delivered. Nil: all are unknown.
	Principal func(*http.Request) string
	// OnePerson says that all requests without a principal come from one person, or
	// from people who may as well be one. Then they join as those of a principal do.
	// Otherwise each of them stands for itself: answers are for their own request
	// only.
	OnePerson bool
	// Administrator reports whether r may see and stop everybody's operations, within
	// its tenant. Nil: nobody may.
	Administrator func(r *http.Request) bool
	// LockTimeouts is the range of a lock's timeout.
	LockTimeouts LockTimeouts
	// MaxXML is how long the XML body of a request may be, in bytes; 0: 1 MiB. All of
	// those that are in memory at a time have 32 MiB or, if that is more, four times as
	// much as the longest, and those of one client a quarter of it. More are refused
	// with 503 and Retry-After.
	MaxXML int64
	// CancelWhenGone stops a COPY, MOVE or DELETE when its client goes, and rolls
	// back what can be. By default they finish: a client that has given up will
	// ask again.
	CancelWhenGone bool
	// CopyLinks lets a COPY, and a MOVE that has to copy, copy the symbolic links
	// among the members as links, wherever they lead; FileSystem must be a
	// storage.LinkCopier. By default what they lead to is copied.
	CopyLinks bool
	// Listings bounds what a PROPFIND with Depth infinity may cost.
	Listings Listings
	// Limits bounds what one client may have at a time, and all together.
	Limits Limits
	// StallTimeout is how long a client may take none of a listing or an index that is
	// streamed to it, or send none of a request body, before its connection is given
	// up: meanwhile it holds one of the Listings, or memory, or room on the disk. Zero:
	// two minutes; negative: for ever. Where the http.Server has a WriteTimeout, that
	// counts for listings. See MinRate for bodies that arrive a few bytes at a time.
	StallTimeout time.Duration
	// MinRate is how many bytes per second of a request body must arrive, on average
	// over each StallTimeout; a slower one is answered with 408. Zero: 500. Negative:
	// any number does, as long as something arrives within each StallTimeout. Where
	// the http.Server has a ReadTimeout, only that counts.
	MinRate int64
	// ReadOnly refuses every method that would change something: 403.
	ReadOnly bool
	// Sync is what of a PUT or PATCH a crash of the machine can't undo. COPY and
	// MOVE leave that to the system. Zero: storage.SyncNever.
	Sync storage.Sync
	// PartialPut takes a PUT with the header Content-Range as one of a part of
	// the file (RFC 9110 §14.5). Otherwise that is a 400: a proxy or a client
	// that takes no notice of the header would make the part the whole. A part of a
	// file that is to be shorter than the one that is there is a 409.
	PartialPut bool
	// Interim says when and to whom interim responses are sent.
	Interim Interim
	// TrustedProxies, if there are any, are the only ones who can tell by which
	// scheme and host their clients know this server: in X-Forwarded-Proto and
	// X-Forwarded-Host, or in Forwarded (RFC 7239). That is what Status-URI then
	// names, and a name of this server in the headers Destination and If. Nil:
	// everybody's X-Forwarded-Host is such a name, which is harmless: it decides
	// nothing but whether a URL's path is one of this server's.
	TrustedProxies TrustedProxies
	// Admitted reports whether whoever sent a request would still be let in. It is
	// called each second while the request follows an operation, by a stream of events
	// or by interim responses. The answer ends when it returns false. With nil, answers
	// go on.
	Admitted func(*http.Request) bool
	// AllowOrigin reports whether pages of a foreign origin (RFC 6454), such as
	// "https://app.example", may send requests that change something. All others
	// get a 403, because a browser sends along the passwords that it remembers. A
	// handler in front that answers CORS preflights sets AllowOrigin to its own rule.
	// Nil allows no foreign origin.
	AllowOrigin func(origin string) bool
	// Compress says to whom listings, indexes and other answers of the server's
	// own are compressed.
	Compress Compression

	age        age
	sharing    sharing
	operations operations
	propfinds  knownPropfinds
	listings   underWay
	deadBytes  byteBudget
	answers    heldAnswers

	mu           sync.Mutex
	lockTable    *lockTable
	defaultProps *defaultProps
	memHistory   *history.Mem
}

// serveFunc serves a request for the resource name. It returns a status of 0
// when it has responded itself.
type serveFunc func(h *Handler, w http.ResponseWriter, r *http.Request, name string) (status int, err error)

var serveFuncs = map[string]serveFunc{
	"OPTIONS":   (*Handler).serveOptions,
	"GET":       (*Handler).serveGet,
	"HEAD":      (*Handler).serveGet,
	"POST":      (*Handler).servePost,
	"PUT":       (*Handler).servePut,
	"PATCH":     (*Handler).servePatch,
	"MKCOL":     (*Handler).serveMkcol,
	"DELETE":    (*Handler).serveDelete,
	"COPY":      (*Handler).serveCopy,
	"MOVE":      (*Handler).serveMove,
	"LOCK":      (*Handler).serveLock,
	"UNLOCK":    (*Handler).serveUnlock,
	"PROPFIND":  (*Handler).servePropfind,
	"PROPPATCH": (*Handler).serveProppatch,
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w, r, end := requestbody.Of(w, r, h.pace())
	defer end()
	compressor := h.operationCompressor(w, r)
	defer compressor.release()
	if compressor != nil {
		w = compressor
	}
	briefs.note(h)
	status := http.StatusInternalServerError
	r, err := h.withTenant(r)
	if err == nil {
		status, err = h.serve(w, r)
	}
	if status != 0 {
		h.respondError(r.Context(), w, status, err)
	}
	_ = compressor.finish() // the client has gone, or not
	if h.Logger != nil {
		h.Logger(r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (status int, err error) {
	id, isStatus := h.statusID(r.URL.Path)
	if !isStatus {
		h.Interim.noOperation(r)
	}
	serve, known := serveFuncs[r.Method]
	switch {
	case !known:
		return refuse(http.StatusNotImplemented, "the method "+r.Method+" is not implemented")
	case h.FileSystem == nil:
		return refuse(http.StatusInternalServerError, "dav.Handler has no FileSystem")
	}
	if err := checkSingle(r); err != nil {
		return statusOf(err), err
	}
	if err := h.checkCrossOrigin(r); err != nil {
		return statusOf(err), err
	}
	r, err = settleBody(r)
	switch {
	case err != nil:
		return statusOf(err), err
	case r.Method == http.MethodOptions && r.URL.Path == "*":
		return h.serveServerOptions(w)
	}
	if isStatus {
		return h.serveOperation(w, r, id)
	}
	name, err := h.resource(r.Context(), r.URL.Path)
	if err != nil {
		return statusOf(err), err
	}
	traits := methodTraits[r.Method]
	switch {
	case h.ReadOnly && traits.writes:
		return refuse(http.StatusForbidden, "this share is read-only")
	case isProbe(r, name):
		return h.serveProbe(w, r, name)
	case storage.Reserved(name) && traits.writes:
		return refuse(http.StatusForbidden, "the name is reserved for the server")
	case storage.Reserved(name):
		return refuse(http.StatusNotFound, "no such resource")
	}
	status, err = serve(h, w, r, name)
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", h.allowAt(r.Context(), name))
	}
	return status, err
}

// principal returns who sent r.
func (h *Handler) principal(r *http.Request) string {
	if h.Principal == nil {
		return ""
	}
	return h.Principal(r)
}
