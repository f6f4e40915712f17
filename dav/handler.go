package dav

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/tree"
)

// Handler serves a tree of files over WebDAV. FileSystem must be set; the
// zero value of every other field is useful. A Handler must not be copied
// once it has served a request.
type Handler struct {
	// Prefix is the URL path prefix to strip from WebDAV resource paths. It
	// ends at a segment: with "/dav", "/davd" is not served.
	Prefix string
	// FileSystem is the virtual file system. If it serves different trees depending on the
	// context, Tenant must tell these trees apart. Otherwise the locks, properties and
	// operations of one tree apply to the others. Several Handlers may serve one FileSystem
	// only if they share a LockSystem.
	FileSystem webdav.FileSystem
	// LockSystem replaces the locks of State. With a lock.Manager, the Handler supports all
	// of RFC 4918. With any other LockSystem it supports what x/net's does: exclusive locks,
	// which clients can't list. Several Handlers may share a LockSystem under the same
	// conditions as a State.
	LockSystem webdav.LockSystem
	// Logger is an optional error logger. If non-nil, it is called for every HTTP request
	// when the request ends.
	Logger func(*http.Request, error)
	// OperationLogger, if not nil, is called with events that belong to no request: an
	// operation ended, successfully (nil) or not, when no client was waiting for it any
	// more; or the server could not write the record of an operation.
	OperationLogger func(operation.Operation, error)
	// OperationEnded, if not nil, is called when an operation has ended.
	OperationEnded func(operation.Operation)
	// OperationOf, if not nil, is called before the answer to a request that has waited for an
	// operation with a status document. id is that of the operation.
	OperationOf func(r *http.Request, id string)

	// State keeps locks, dead properties, and what operations do and have done. If it is nil,
	// everything is in memory and ends with the Handler, except for the properties of files
	// that are webdav.DeadPropsHolders and keep their own.
	//
	// Several Handlers may share one State. Then none of them changes a resource while
	// another one is changing it. Handlers that serve different files need different
	// Tenants, because a State knows names and not files. Recover assumes that each record
	// of the journal is about FileSystem, and puts the record's tenant into the context
	// (storage.TenantOf). So Handlers with different files need different journals.
	State State
	// PropertyLimits limits the size of dead properties. A request that exceeds a limit
	// gets a 507 (Insufficient Storage). The zero value allows 64 KiB for each property, 1
	// MiB for each resource and 256 MiB for each principal. For files that are
	// webdav.DeadPropsHolders, only the first two limits apply. Such a file returns all its
	// properties together, so a listing needs memory for all properties of one file.
	// Properties that exceed the limits because they are older can be read and removed.
	PropertyLimits deadprops.Limits
	// Tenant returns which of several independent trees the request is about, and so which
	// part of the state. Requests with the same tenant must see the same files. Requests
	// with different tenants share nothing, even under the same names: no locks, dead
	// properties, claims, operations, status documents or history. Even an Administrator
	// only sees its own tenant. The tenant is in the context of every call of FileSystem
	// (storage.TenantOf), also during Recover. It may consist of any bytes, up to 1024 of
	// them; a longer one gets a 500 (Internal Server Error). Users who share a tree are
	// principals of one tenant, and see each other's locks. If Tenant is nil, all requests
	// belong to one tenant, whose state is separate from that of the tenant "".
	Tenant func(*http.Request) string
	// Principal returns the name of the person or program that sent the request, or "" if
	// that is unknown. The name must be authenticated, and be the same for all requests of
	// that person. It decides who owns a lock or an operation: only the creator of a lock
	// can see and use its token, and only the creator of an operation can see its status
	// document. If the same principal repeats a COPY, MOVE or DELETE, the repeated request
	// joins the one that is under way, or gets the answer that could not be delivered. If
	// Principal is nil, all principals are unknown.
	Principal func(*http.Request) string
	// OnePerson says that all requests without a principal come from one person, or from
	// people who trust each other like one. Such requests then join each other's operations
	// as those of a principal do, and see them in the list of operations. By default they don't:
	// each gets only its own answer, and an empty list.
	OnePerson bool
	// Administrator reports whether r may see and stop the operations of all principals of
	// its tenant. If it is nil, no request may.
	Administrator func(r *http.Request) bool
	// View, if not nil, returns which names of FileSystem the URL paths of a client stand for. ctx
	// is that of a request, with its principal. Nil means that URL paths are names.
	View func(ctx context.Context) *View
	// Challenge, if not nil, answers a request without a principal that FileSystem refuses
	// (storage.Authorizer), instead of a 403 (Forbidden) or 404 (Not Found). It should answer 401
	// (Unauthorized) and ask for a name and a password, because the client may be able to do more
	// with them.
	Challenge func(http.ResponseWriter, *http.Request)
	// LockTimeouts is the range of a lock's timeout.
	LockTimeouts LockTimeouts
	// MaxXML is the maximum length of an XML request body, in bytes; a longer one gets a
	// 413 (Request Entity Too Large). Zero means 1 MiB. All such bodies together may take
	// 32 MiB of memory, or four times MaxXML if that is more, and those of one client a
	// quarter of that. Further requests get a 503 (Service Unavailable) with Retry-After.
	MaxXML int64
	// CancelWhenGone stops a COPY, MOVE or DELETE when its client disconnects, and rolls
	// back as much as possible. By default the operation finishes, because a client that
	// gave up will probably ask again.
	CancelWhenGone bool
	// CopyLinks makes a COPY, and a MOVE that has to copy, copy symbolic links among the
	// members as links, even if they lead out of the tree. FileSystem must then be a
	// storage.Copier. By default, the targets of the links are copied.
	CopyLinks bool
	// Listings restricts the cost of a PROPFIND with Depth infinity.
	Listings Listings
	// Limits restricts what one client, and all clients together, may use at a time.
	Limits Limits
	// Workers limits the goroutines that walk, copy and remove trees. Handlers of one program
	// should share it. If it is nil, the Handler has its own.
	Workers *tree.Workers
	// StallTimeout is how long a client may read nothing of a listing or an index that is
	// being streamed to it, or send nothing of a request body, before the server closes the
	// connection. Until then the request uses up one of the Listings, memory or disk space.
	// Zero means two minutes, and a negative value means no limit. If the http.Server has a
	// WriteTimeout, that applies to listings instead. MinRate limits bodies that arrive a
	// few bytes at a time.
	StallTimeout time.Duration
	// MinRate is the minimum rate of a request body, in bytes per second, averaged over
	// each StallTimeout. A slower request gets a 408 (Request Timeout). Zero means 500. A
	// negative value allows any rate, as long as something arrives within each
	// StallTimeout. If the http.Server has a ReadTimeout, only that applies.
	MinRate int64
	// ReadOnly refuses every method that would change something with a 403 (Forbidden).
	ReadOnly bool
	// Sync says how durable a PUT or PATCH is when it is answered, that is, what survives a
	// crash of the machine. COPY and MOVE leave this to the operating system. Zero means
	// storage.SyncNever.
	Sync storage.Sync
	// PartialPut accepts a PUT with the header Content-Range and writes that part of the
	// file (RFC 9110 §14.5). By default such a PUT gets a 400 (Bad Request), because
	// software that ignores the header would replace the whole file by the part. If the
	// header gives a total length below the file's current length, the answer is a 409
	// (Conflict).
	PartialPut bool
	// QuotaForMacs answers the properties of RFC 4331 to the WebDAV client of macOS 15.4 and
	// later too. By default it gets none, because with them it takes up to 90 seconds to
	// mount a share. Without them it shows a made-up amount of free space.
	QuotaForMacs bool
	// Interim says when the server sends interim responses, and which clients get them.
	Interim interim.Policy
	// TrustedProxies are the only proxies that may say under which scheme and host their
	// clients know this server, in X-Forwarded-Proto and X-Forwarded-Host or in Forwarded
	// (RFC 7239). The server then uses this name in Status-URI, and accepts it in the
	// headers Destination and If. If TrustedProxies is empty, the server accepts the
	// X-Forwarded-Host of any client as its own name. That is harmless, because the name
	// only decides whether the path of a URL is one of this server's.
	TrustedProxies TrustedProxies
	// Admitted reports whether the sender of a request would still be let in. It is called
	// once a second while the request follows an operation, through a stream of events or
	// interim responses. When it returns false, the answer ends. If it is nil, answers
	// continue.
	Admitted func(*http.Request) bool
	// AllowOrigin reports whether pages of a foreign origin (RFC 6454), such as
	// "https://app.example", may send requests that change something. Others get a 403
	// (Forbidden), because a browser adds the password that it remembers to their requests.
	// If a handler in front of this one answers CORS preflights, set AllowOrigin to the
	// rule that it uses. If AllowOrigin is nil, no foreign origin may change anything.
	AllowOrigin func(origin string) bool
	// Pages makes the pages for people who open a collection in a browser. If it is nil, they see
	// a plain index. [NoPages] refuses to list collections.
	Pages Pages
	// Compress says for which clients the server compresses listings, indexes and other
	// answers that it generates.
	Compress Compression

	// lasting is nil before the first call of kept.
	lasting     *lasting
	lastingOnce sync.Once
}
