// Package config turns the settings that the operator writes, as text, into a checked and
// typed configuration. All settings are checked here, whether they come from flags or from
// the environment.
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
	// Dir is the served directory. It is empty if Storage is Mem.
	Dir string
	// Symlinks says which symbolic links in Dir are followed.
	Symlinks local.Links
	// CopyLinks makes a copy of a collection copy symbolic links as links.
	CopyLinks bool
	// Sync says which parts of an upload survive a crash of the machine.
	Sync storage.Sync
	// PartialPut lets a PUT with Content-Range write a part of a file.
	PartialPut bool
	// Latency is added to each storage call.
	Latency time.Duration
	// Compress says for which clients listings and indexes are compressed.
	Compress dav.Compression

	// Addrs are the addresses to listen at, at least one.
	Addrs []Addr
	// Hosts are the host names, besides localhost, that a server without users accepts in
	// requests: the names of --host and those in Addrs.
	Hosts []string
	// Prefix is the URL path below which the tree is served. It is empty, or a clean
	// path that begins with a slash and does not end with one.
	Prefix string
	// ReadOnly refuses all requests that would change something.
	ReadOnly bool
	// TLSCert and TLSKey are PEM files, both empty without TLS.
	TLSCert, TLSKey string

	// HTPasswd is the file with the users and their hashed passwords. If it is empty, davd
	// does not ask for passwords.
	HTPasswd string
	// Realm is the name that a client shows when it asks for a password.
	Realm string
	// Admins are the users who can see and stop the operations of all users.
	Admins []string
	// Anonymous gives access to everyone who can reach a listener.
	Anonymous bool

	// State is where locks and dead properties are kept.
	State State
	// LockTimeouts is the range of a lock's timeout.
	LockTimeouts dav.LockTimeouts
	// LocksPerUser is how many locks one user may have at a time. All clients without a
	// name count as one user.
	LocksPerUser int
	// Limits bounds how many operations and locks clients may have at a time.
	Limits dav.Limits
	// PropertiesPerUser is how much space the properties set by one user may take up, in
	// bytes.
	PropertiesPerUser int64
	// MaxXML is the largest XML body that a request may have, in bytes.
	MaxXML int64
	// Listings bounds PROPFINDs with Depth infinity.
	Listings dav.Listings

	// OnDisconnect says what happens to an operation whose client disconnects.
	OnDisconnect OnDisconnect
	// StallTimeout is how long a client may hold up a listing or a request body. If it is
	// negative, there is no limit.
	StallTimeout time.Duration
	// MinRate is how many bytes per second of a request body must arrive. If it is
	// negative, there is no minimum.
	MinRate int64
	// Drain is how long requests may continue after the signal to stop.
	Drain time.Duration

	// InterimMode says which clients get interim responses.
	InterimMode dav.InterimMode
	// InterimAfter is how long an operation runs before its first interim response. Zero
	// means immediately, unlike in dav.Interim, where it means the default.
	InterimAfter time.Duration
	// InterimEvery is the time between two interim responses. It is never 0.
	InterimEvery time.Duration
	// InterimClients are additional rows for the table of known clients.
	InterimClients []dav.Client
	// InterimProxy says what the proxies in front do with interim responses.
	InterimProxy dav.InterimProxy
	// TrustedProxies are the proxies that davd trusts to describe their clients.
	TrustedProxies dav.TrustedProxies

	// LogFormat is the format of the log.
	LogFormat LogFormat
	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level
}

// Interim returns the interim settings in the form of [dav.Handler].
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

// OnDisconnect says what happens to an operation whose client disconnects.
type OnDisconnect string

// The operation is finished, or it is cancelled and rolled back.
const (
	Finish OnDisconnect = "finish"
	Cancel OnDisconnect = "cancel"
)

// LogFormat is a format of the log.
type LogFormat string

// The formats of the log.
const (
	Text LogFormat = "text"
	JSON LogFormat = "json"
)
