// Package config is what davd can be told: the settings as a person writes
// them, and the typed configuration that they make. Whatever they are read
// from, they are checked here and nowhere else.
package config

import (
	"log/slog"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// Config is a checked configuration.
type Config struct {
	// Storage is the kind of backend.
	Storage Storage
	// Dir is the directory that is served. Empty when Storage is Mem.
	Dir string
	// Symlinks says which symbolic links of Dir lead anywhere.
	Symlinks local.Links
	// CopyLinks copies links as links.
	CopyLinks bool
	// Sync is what of an upload a crash of the machine can't undo.
	Sync storage.Sync
	// PartialPut takes a PUT with Content-Range as one of a part of the file.
	PartialPut bool
	// Latency is added to each storage call.
	Latency time.Duration
	// Compress says to whom listings and indexes are compressed.
	Compress dav.Compression

	// Addrs is where to listen, at least one.
	Addrs []Addr
	// Hosts are the host names that a server without users accepts in requests, apart
	// from localhost: those of --host, and those in Addrs.
	Hosts []string
	// Prefix is the URL path under which the tree is served: empty, or a clean
	// path that begins with a slash and does not end with one.
	Prefix string
	// ReadOnly refuses whatever would change something.
	ReadOnly bool
	// TLSCert and TLSKey are PEM files, both empty without TLS.
	TLSCert, TLSKey string

	// HTPasswd is the file of the users and their hashed passwords. Empty:
	// nobody is asked who they are.
	HTPasswd string
	// Realm is what a client shows a person who is asked for a password.
	Realm string
	// Admins are the users who see and may stop everybody's operations.
	Admins []string
	// Anonymous: whoever reaches a listener may do what it serves.
	Anonymous bool

	// State is where locks and dead properties are kept.
	State State
	// LockTimeouts is the range of a lock's timeout.
	LockTimeouts dav.LockTimeouts
	// LocksPerUser is how many locks one user may have at a time, or all clients
	// without a name together.
	LocksPerUser int
	// Limits bounds what clients may have at a time.
	Limits dav.Limits
	// PropertiesPerUser is how much room the properties that one user sets may take
	// up, in bytes.
	PropertiesPerUser int64
	// MaxXML is the size of the longest XML body that is read, in bytes.
	MaxXML int64
	// Listings bounds PROPFINDs with Depth infinity.
	Listings dav.Listings

	// OnDisconnect says what an operation does when its client goes.
	OnDisconnect OnDisconnect
	// StallTimeout is how long a client may hold up a listing or a request body;
	// negative: for ever.
	StallTimeout time.Duration
	// MinRate is how many bytes per second of a request body must arrive; negative:
	// any number.
	MinRate int64
	// Drain is how long requests may go on after the signal to stop.
	Drain time.Duration

	// InterimMode says to whom interim responses are sent.
	InterimMode dav.InterimMode
	// InterimAfter is the age at which an operation sends its first one, 0 for
	// at once. (dav.Interim means the default by 0.)
	InterimAfter time.Duration
	// InterimEvery is the time between two, never 0.
	InterimEvery time.Duration
	// InterimClients are more rows of the table of known clients.
	InterimClients []dav.Client
	// InterimProxy says what the proxies in front do with interim responses.
	InterimProxy dav.InterimProxy
	// TrustedProxies are those whose word for their clients counts.
	TrustedProxies dav.TrustedProxies

	// LogFormat is the form of the log.
	LogFormat LogFormat
	// LogLevel is the least level that is logged.
	LogLevel slog.Level
}

// Interim returns the handler's fields of the interim settings.
func (c *Config) Interim() dav.Interim {
	after := c.InterimAfter
	if after == 0 {
		after = -1
	}
	return dav.Interim{
		Mode: c.InterimMode, After: after, Every: c.InterimEvery,
		Clients: c.InterimClients, Proxy: c.InterimProxy,
	}
}

// TLS reports whether connections are encrypted.
func (c *Config) TLS() bool { return c.TLSCert != "" }

// Storage is a kind of backend.
type Storage string

// The kinds of backend.
const (
	Dir Storage = "dir"
	Mem Storage = "mem"
)

// OnDisconnect is what an operation does when its client goes.
type OnDisconnect string

// What an operation can do.
const (
	Finish OnDisconnect = "finish"
	Cancel OnDisconnect = "cancel"
)

// LogFormat is a form of the log.
type LogFormat string

// The forms of the log.
const (
	Text LogFormat = "text"
	JSON LogFormat = "json"
)
