package config

import (
	"log/slog"

	"github.com/davd/davd/cmd/davd/internal/hosts"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// The settings of the server. Each one is written here and in the type of its field, and
// nowhere else.

func (c *Config) files() []*setting.Setting {
	return []*setting.Setting{
		{
			Name: "storage", Takes: "dir|mem", Default: "dir", Into: setting.Word(&c.Storage, Dir, Mem),
			Help: "serve a directory (dir), or an empty tree in memory that is lost when davd exits (mem)",
		},
		{Name: "read-only", Into: setting.Switch(&c.Handler.ReadOnly), Help: "refuse all requests that would change something"},
		{
			Name: "symlinks", Takes: "POLICY", Default: "inside", Into: setting.Word(&c.Local.Links, local.LinksDeny, local.LinksInside, local.LinksFollow),
			Help: "which symbolic links to follow: none (deny), those that stay inside the directory (inside), or all, even those that lead out of it (follow)",
		},
		{
			Name: "copy-links", Into: setting.Switch(&c.Handler.CopyLinks),
			Help: "when copying a collection, copy symbolic links as links, not the files that they lead to",
		},
		{
			Name: "fsync", Takes: "WHEN", Default: "never", Into: setting.Word(&c.Handler.Sync, storage.SyncNever, storage.SyncClose, storage.SyncAlways),
			Help: "what davd writes through to the disk before it answers a PUT or PATCH: nothing (never), the content (close), or the content and the name (always); if the machine crashes, the rest can be lost",
		},
		{Name: "partial-put", Into: setting.Switch(&c.Handler.PartialPut), Help: "let a PUT with Content-Range write a part of a file; without this, it is refused"},
		{Name: "latency", Takes: "TIME", Default: "0s", Into: setting.Value(&c.Latency, setting.Duration), Help: "delay each storage call, to try out slow storage"},
		{
			Name: "compress", Takes: "MODE", Default: "auto", Into: setting.Word(&c.Handler.Compress, dav.CompressAuto, dav.CompressAlways, dav.CompressNever),
			Help: "compress listings and pages with gzip or zstd, for clients that accept it: always, never, or only for clients on other machines (auto); files are never compressed",
		},
	}
}

func (c *Config) network() []*setting.Setting {
	return []*setting.Setting{
		{
			Name: "addr", Takes: "ADDR", Default: "127.0.0.1:8080", Into: setting.List(&c.Addrs, ParseAddr),
			Help: "listen at this host:port or unix:PATH; port 0 is any free port; can be a list",
		},
		{
			Name: "host", Takes: "NAME", Into: setting.List(&c.Hosts, hosts.Canonical),
			Help: "accept requests for this host name; without --htpasswd, davd only accepts localhost, IP addresses, the names in --addr and these, and answers others with 421, to protect against hostile web pages (DNS rebinding); can be a list (default: none)",
		},
		{Name: "prefix", Takes: "/PATH", Into: setting.Value(&c.Handler.Prefix, parsePrefix), Help: "serve the files below this URL path (default: at the root)"},
		{
			Name: "trusted-proxy", Takes: "CIDR", Into: setting.List(&c.Handler.TrustedProxies, parseNetwork),
			Help: "trust the proxies in this network to name the client's address (X-Forwarded-For) and the scheme and host that it asked for (X-Forwarded-Proto, X-Forwarded-Host, Forwarded); davd uses the address in the log, for limits and to slow down password guessing; can be a list (default: none)",
		},
		{
			Name: "tls-cert", Takes: "FILE", Into: setting.Value(&c.TLSCert, setting.Text),
			Help: "serve HTTPS and HTTP/2 with the certificate in this PEM file (default: plain HTTP)",
		},
		{Name: "tls-key", Takes: "FILE", Into: setting.Value(&c.TLSKey, setting.Text), Help: "the PEM file with the certificate's private key"},
	}
}

func (c *Config) users() []*setting.Setting {
	return []*setting.Setting{
		{
			Name: "htpasswd", Takes: "FILE", Into: setting.Value(&c.HTPasswd, setting.Text),
			Help: "ask for a password, and let in the users in this file; create it with htpasswd -B; davd notices changes (default: no users)",
		},
		{Name: "realm", Takes: "TEXT", Default: "davd", Into: setting.Value(&c.Realm, parseRealm), Help: "the name that clients show when they ask for a password"},
		{
			Name: "admin", Takes: "USER", Into: setting.List(&c.Admins, setting.Text),
			Help: "let this user see and stop the operations of all users; can be a list (default: none)",
		},
		{
			Name: "anonymous", Into: setting.Switch(&c.Anonymous),
			Help: "let anyone who can reach davd read and write; without this or --htpasswd, davd only listens on this machine",
		},
	}
}

func (c *Config) state() []*setting.Setting {
	h := &c.Handler
	return []*setting.Setting{
		{
			Name: "state", Takes: "DIR|FILE.db|mem", Into: setting.Value(&c.State, parseState),
			Help: "where davd keeps locks and properties: a directory, a database file, or memory, where they are lost when davd exits (default: /var/lib/davd for root; for other users $XDG_STATE_HOME/davd or the system's equivalent)",
		},
		{
			Name: "lock-timeout-min", Takes: "TIME", Default: "1s", Into: setting.Value(&h.LockTimeouts.Min, aboveZero),
			Help: "the shortest lock timeout that a client can get; a lock ends when its client does not renew it in time",
		},
		{
			Name: "lock-timeout-max", Takes: "TIME", Default: "24h", Into: setting.Value(&h.LockTimeouts.Max, parseLongest),
			Help: "the longest lock timeout that a client can get, or infinite for no limit",
		},
		{
			Name: "locks-per-user", Takes: "NUMBER", Default: "10000", Into: setting.Value(&c.Locks.MaxPerPrincipal, setting.Count),
			Help: "how many locks one user may hold at a time; without users, the limit for all clients together",
		},
		{
			Name: "locks-per-address", Takes: "NUMBER", Into: setting.Value(&h.Limits.LocksOf, setting.Count),
			Help: "without users, how many locks the clients at one address may hold; this machine itself may hold three times as many, because clients may share its address behind a local proxy (default: a quarter of --locks-per-user)",
		},
		{
			Name: "properties-per-user", Takes: "SIZE", Default: "256MiB", Into: setting.Value(&h.PropertyLimits.Owner, parseSize),
			Help: "how much space the properties set by one user may take up",
		},
		{Name: "max-xml-body", Takes: "SIZE", Default: "1MiB", Into: setting.Value(&h.MaxXML, parseSize), Help: "the largest XML body that a request may have"},
	}
}

func (c *Config) operations() []*setting.Setting {
	h := &c.Handler
	return []*setting.Setting{
		{
			Name: "propfind-infinity", Takes: "WHAT", Default: "allow", Into: setting.Value(&h.Listings.Infinity, parseInfinity),
			Help: "what to do with a request for the listing of a whole tree: allow it, deny it (403), or stop entering collections after this number of members (507 for each one left out)",
		},
		{
			Name: "listings-at-once", Takes: "NUMBER", Default: "64", Into: setting.Value(&h.Listings.Most, setting.Count),
			Help: "how many listings of whole trees may run at a time; further ones are refused (503)",
		},
		{
			Name: "listings-per-user", Takes: "NUMBER", Default: "16", Into: setting.Value(&h.Listings.MostOf, setting.Count),
			Help: "how many of them one user may run or, without users, one address; three times as many for this machine itself, as for --locks-per-address",
		},
		{
			Name: "operations-at-once", Takes: "NUMBER", Default: "1024", Into: setting.Value(&h.Limits.Operations, setting.Count),
			Help: "how many COPY, MOVE and DELETE requests may run or wait at a time; further ones are refused (503)",
		},
		{
			Name: "operations-per-user", Takes: "NUMBER", Into: setting.Value(&h.Limits.OperationsOf, setting.Count),
			Help: "how many of them one user or address may have, as for --listings-per-user (default: a quarter of --operations-at-once)",
		},
		{
			Name: "on-disconnect", Takes: "WAY", Default: "finish", Into: setting.Value(&h.CancelWhenGone, parseCancel),
			Help: "what happens to a COPY, MOVE or DELETE whose client disconnects: finish it, or cancel it and roll back as much as possible",
		},
		{
			Name: "stall-timeout", Takes: "TIME", Default: "2m", Into: setting.Value(&h.StallTimeout, setting.ZeroIsNegative(setting.Duration)),
			Help: "close the connection of a client that neither accepts data of a listing nor sends data of a request body for this long; 0 for no limit",
		},
		{
			Name: "min-rate", Takes: "SIZE", Default: "500B", Into: setting.Value(&h.MinRate, setting.ZeroIsNegative(setting.Size)),
			Help: "how much of a request body must arrive per second, on average over each --stall-timeout; 0 for no minimum",
		},
		{
			Name: "drain", Takes: "TIME", Default: "10s", Into: setting.Value(&c.Drain, setting.Duration),
			Help: "how long requests may continue after davd is told to stop; then operations are rolled back and answered with 503",
		},
	}
}

func (c *Config) interim() []*setting.Setting {
	i := &c.Handler.Interim
	return []*setting.Setting{
		{
			Name: "interim", Takes: "MODE", Default: "auto", Into: setting.Word(&i.Mode, interim.Auto, interim.Always, interim.Never),
			Help: "when to send interim responses: always, never, or to clients that ask for them or are known to understand them (auto)",
		},
		{
			Name: "interim-after", Takes: "TIME", Default: "20s", Into: setting.Value(&i.After, setting.ZeroIsNegative(setting.Duration)),
			Help: "how long an operation runs before its first interim response; 0s to send one immediately",
		},
		{Name: "interim-every", Takes: "TIME", Default: "20s", Into: setting.Value(&i.Every, aboveZero), Help: "the time between two interim responses"},
		{
			Name: "interim-client", Takes: "NAME=CAP", Into: setting.List(&i.Clients, parseClient),
			Help: "send at most CAP interim responses per request to the client that User-Agent calls NAME, or none if CAP is 0; overrides the table of davd clients; can be a list (default: none)",
		},
		{
			Name: "interim-proxy", Takes: "WHAT", Default: "none", Into: setting.Word(&i.Proxy, interim.ProxyNone, interim.ProxyPass, interim.ProxyApache),
			Help: "what the proxies in front do with interim responses: pass them all on (pass), pass on nine per request, as Apache httpd does (apache), or unknown (none); with none, in mode auto, davd sends none to a client behind a proxy that it can detect",
		},
	}
}

func (c *Config) log() []*setting.Setting {
	return []*setting.Setting{
		{Name: "log-format", Takes: "text|json", Default: "text", Into: setting.Word(&c.LogFormat, Text, JSON), Help: "the format of each line: text, or a JSON object"},
		{
			Name: "log-level", Takes: "LEVEL", Default: "info", Into: setting.Word(&c.LogLevel, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError),
			Help: "the lowest level to log: debug, info, warn or error",
		},
	}
}
