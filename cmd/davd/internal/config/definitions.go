package config

import (
	"log/slog"

	"github.com/davd/davd/cmd/davd/internal/hosts"
	"github.com/davd/davd/cmd/davd/internal/objects"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// The settings of the server. Each one is written here and in the type of its field, and
// nowhere else.

// fixed marks settings that a reload can't change.
func fixed(s *setting.Setting) *setting.Setting {
	s.Restart = true
	return s
}

func (c *Config) file() *setting.Setting {
	return setting.New("config", "FILE", "", setting.Value(&c.named, setting.Text),
		"read the configuration from this file (default: /etc/davd/davd.yaml, then davd/davd.yaml in $XDG_CONFIG_HOME or the system's equivalent, if one exists and the command line does not say what to serve); davd config example prints one")
}

func (c *Config) files() []*setting.Setting {
	return []*setting.Setting{
		fixed(setting.New("storage", "WHERE", "dir", setting.Value(&c.Storage, parseStorage).Relative(objects.Resolve),
			"serve a directory (dir), objects in a bucket (s3://BUCKET/PREFIX?endpoint=URL) or a directory (blobs:DIR) with a database of their names, or an empty tree in memory that is lost when davd exits (mem)")),
		setting.New("read-only", "", "", setting.Switch(&c.Handler.ReadOnly),
			"refuse all requests that would change something"),
		setting.New("symlinks", "POLICY", "inside", setting.Word(&c.Local.Links, local.LinksDeny, local.LinksInside, local.LinksFollow),
			"which symbolic links to follow: none (deny), those that stay inside the directory (inside), or all, even those that lead out of it (follow)"),
		setting.New("copy-links", "", "", setting.Switch(&c.Handler.CopyLinks),
			"when copying a collection, copy symbolic links as links, not the files that they lead to"),
		setting.New("umask", "OCTAL", "", setting.Value(&c.Local.Umask, parseUmask),
			"permissions that new files and directories do not get, such as 027 (default: that of the process)"),
		setting.New("uid", "NUMBER", "", setting.Value(&c.Local.UID, parseID32),
			"the owner of new files and directories (default: the user who runs davd)"),
		setting.New("gid", "NUMBER", "", setting.Value(&c.Local.GID, parseID32),
			"the group of new files and directories (default: that of the process)"),
		setting.New("fsync", "WHEN", "never", setting.Word(&c.Handler.Sync, storage.SyncNever, storage.SyncClose, storage.SyncAlways),
			"what davd writes through to the disk before it answers a PUT or PATCH: nothing (never), the content (close), or the content and the name (always); if the machine crashes, the rest can be lost; with --state postgres://… it is close unless set"),
		setting.New("partial-put", "", "", setting.Switch(&c.Handler.PartialPut),
			"let a PUT with Content-Range write a part of a file; without this, it is refused"),
		setting.New("quota-for-macs", "", "", setting.Switch(&c.Handler.QuotaForMacs),
			"tell the used and available space to macOS 15.4 and later too, which then takes up to 90 seconds to mount a share"),
		setting.New("page", "full|plain|off", "plain", setting.Word(&c.Page, PageFull, PagePlain, PageOff),
			"what a browser gets for a collection: a file browser that also uploads, moves and deletes (full), a list (plain), or a 403 (off)"),
		fixed(setting.New("latency", "TIME", "0s", setting.Value(&c.Latency, setting.Duration),
			"delay each storage call, to try out slow storage")),
		setting.New("compress", "MODE", "auto", setting.Word(&c.Handler.Compress, dav.CompressAuto, dav.CompressAlways, dav.CompressNever),
			"compress listings and pages with gzip or zstd, for clients that accept it: always, never, or only for clients on other machines (auto); files are never compressed"),
	}
}

func (c *Config) network() []*setting.Setting {
	return []*setting.Setting{
		fixed(setting.New("addr", "ADDR", "127.0.0.1:8080", setting.List(&c.Addrs, ParseAddr).Relative(relativeAddr),
			"listen at this host:port or unix:PATH; port 0 is any free port; can be a list")),
		setting.New("host", "NAME", "", setting.List(&c.Hosts, hosts.Canonical),
			"accept requests for this host name; without --htpasswd, davd only accepts localhost, IP addresses, the names in --addr and these, and answers others with 421, to protect against hostile web pages (DNS rebinding); can be a list (default: none)"),
		fixed(setting.New("prefix", "/PATH", "", setting.Value(&c.Handler.Prefix, parsePrefix),
			"serve the files below this URL path (default: at the root)")),
		setting.New("trusted-proxy", "CIDR", "", setting.List(&c.Handler.TrustedProxies, parseNetwork),
			"trust the proxies in this network to name the client's address (X-Forwarded-For) and the scheme and host that it asked for (X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Prefix, Forwarded); davd uses the address in the log, for limits and to slow down password guessing; can be a list (default: none)"),
		setting.New("cors-origin", "ORIGIN", "", setting.List(&c.Network.Origins, parseOrigin),
			"let web pages and applications of this origin use davd, such as https://app.example, app://obsidian.md or capacitor://localhost, with the password that the browser remembers; * for all of them, which need a password of their own; can be a list (default: none)"),
		fixed(setting.New("proxy-protocol", "CIDR", "", setting.List(&c.Network.ProxyProtocol, parseNetwork),
			"expect the PROXY protocol, version 1 or 2, on each connection from this network, and take the client's address from it; can be a list (default: none)")),
		fixed(setting.New("tls-cert", "FILE", "", setting.File(&c.TLSCert),
			"serve HTTPS and HTTP/2 with the certificate in this PEM file (default: plain HTTP)")),
		fixed(setting.New("tls-key", "FILE", "", setting.File(&c.TLSKey),
			"the PEM file with the certificate's private key")),
		fixed(setting.New("tls", "self-signed", "", setting.Value(&c.Network.SelfSigned, parseTLS),
			"serve HTTPS with a certificate that davd makes for the names in --addr and --host, keeps beside the state, and replaces before it ends; clients ask their users to compare its fingerprint, which davd prints")),
		fixed(setting.New("acme-domain", "NAME", "", setting.List(&c.Network.ACME.Domains, hosts.Canonical),
			"serve HTTPS with a certificate for this host name from Let's Encrypt, whose terms you accept, and renew it; the name must lead to this davd, at port 443 or, with --acme-http, at port 80; can be a list (default: none)")),
		fixed(setting.New("acme-http", "ADDR", "", setting.List(&c.Network.ACME.HTTP, parseHTTP),
			"also listen at this host:port, usually :80, to prove that the name is ours (HTTP-01); other requests there are sent to HTTPS (default: none, and the proof goes over the HTTPS port, TLS-ALPN-01)")),
		fixed(setting.New("acme-email", "ADDRESS", "", setting.Value(&c.Network.ACME.Email, setting.Text),
			"where the authority sends warnings about the certificate (default: none)")),
		fixed(setting.New("acme-ca", "URL", "", setting.Value(&c.Network.ACME.CA, parseCA),
			"obtain the certificate from this ACME server (default: Let's Encrypt)")),
		fixed(setting.New("acme-ca-root", "FILE", "", setting.File(&c.Network.ACME.CARoot),
			"trust the certificates in this PEM file when connecting to --acme-ca (default: those that the system trusts)")),
		fixed(setting.New("connections", "N", "16384", setting.Value(&c.Network.Connections.All, setting.Count),
			"how many connections may be open at a time, if the process may open twice as many files; when all places are taken, davd closes the connection that has been idle longest, and further clients wait")),
		fixed(setting.New("connections-per-address", "N", "", setting.Value(&c.Network.Connections.Of, setting.Count),
			"how many of them one address may have; three times as many for this machine itself, and no limit for a --trusted-proxy (default: a quarter of --connections)")),
		setting.New("requests-per-address", "N", "", setting.Value(&c.Network.RatePerAddress, setting.Count),
			"how many requests per second one address may send, on average over ten seconds; further ones get a 429 (default: no limit)"),
		setting.New("requests-per-user", "N", "", setting.Value(&c.Network.RatePerUser, setting.Count),
			"how many requests per second one user may send, as for --requests-per-address (default: no limit)"),
		fixed(setting.New("header-timeout", "TIME", "30s", setting.Value(&c.Network.HeaderTimeout, aboveZero),
			"close the connection of a client that takes longer than this to send the header of a request")),
	}
}

func (c *Config) users() []*setting.Setting {
	return []*setting.Setting{
		setting.New("htpasswd", "FILE", "", setting.Files(&c.HTPasswd),
			"ask for a password, and let in the users in this file; create it with htpasswd -B; davd notices changes; can be repeated (default: no users)"),
		fixed(setting.New("realm", "TEXT", "davd", setting.Value(&c.Realm, parseRealm),
			"the name that clients show when they ask for a password")),
		setting.New("admin", "USER", "", setting.List(&c.Admins, setting.Text),
			"let this user see and stop the operations of all users; can be a list (default: none)"),
		setting.New("anonymous", "", "", setting.Switch(&c.Anonymous),
			"let anyone who can reach davd read and write; without this or --htpasswd, davd only listens on this machine"),
	}
}

func (c *Config) state() []*setting.Setting {
	h := &c.Handler
	return []*setting.Setting{
		fixed(setting.New("state", "DIR|FILE.db|URL|mem", "", setting.Value(&c.State, parseState).Relative(relativeState),
			"where davd keeps locks and properties: a directory, a database file, a PostgreSQL database such as postgres://davd@host/davd, which several davd can share, or memory, where they are lost when davd exits (default: /var/lib/davd for root; for other users $XDG_STATE_HOME/davd or the system's equivalent)")),
		fixed(setting.New("node-name", "NAME", "", setting.Value(&c.NodeName, parseNodeName),
			"with --state postgres://…, the name of this davd among those that share the database; two on one machine need different names (default: the host name)")),
		fixed(setting.New("fence-command", "FILE", "", setting.Value(&c.FenceCommand, parseFenceCommand),
			"with --state postgres://…, a program that runs before this davd takes over from a dead one, with that one's epoch, name and host name: it may cut the dead machine off from the storage; if it fails, davd runs it again")),
		setting.New("lock-timeout-min", "TIME", "1s", setting.Value(&h.LockTimeouts.Min, aboveZero),
			"the shortest lock timeout that a client can get; a lock ends when its client does not renew it in time"),
		setting.New("lock-timeout-max", "TIME", "24h", setting.Value(&h.LockTimeouts.Max, parseLongest),
			"the longest lock timeout that a client can get, or infinite for no limit"),
		fixed(setting.New("locks-per-user", "NUMBER", "10000", setting.Value(&c.Locks.MaxPerPrincipal, setting.Count),
			"how many locks one user may hold at a time; without users, the limit for all clients together")),
		setting.New("locks-per-address", "NUMBER", "", setting.Value(&h.Limits.LocksOf, setting.Count),
			"without users, how many locks the clients at one address may hold; this machine itself may hold three times as many, because clients may share its address behind a local proxy (default: a quarter of --locks-per-user)"),
		setting.New("properties-per-user", "SIZE", "256MiB", setting.Value(&h.PropertyLimits.Owner, parseSize),
			"how much space the properties set by one user may take up"),
		setting.New("max-xml-body", "SIZE", "1MiB", setting.Value(&h.MaxXML, parseSize),
			"the largest XML body that a request may have"),
	}
}

func (c *Config) operations() []*setting.Setting {
	h := &c.Handler
	return []*setting.Setting{
		setting.New("propfind-infinity", "WHAT", "allow", setting.Value(&h.Listings.Infinity, parseInfinity),
			"what to do with a request for the listing of a whole tree: allow it, deny it (403), or stop entering collections after this number of members (507 for each one left out)"),
		setting.New("listings-at-once", "NUMBER", "64", setting.Value(&h.Listings.Most, setting.Count),
			"how many listings of whole trees may run at a time; further ones are refused (503)"),
		setting.New("listings-per-user", "NUMBER", "16", setting.Value(&h.Listings.MostOf, setting.Count),
			"how many of them one user may run or, without users, one address; three times as many for this machine itself, as for --locks-per-address"),
		setting.New("operations-at-once", "NUMBER", "1024", setting.Value(&h.Limits.Operations, setting.Count),
			"how many COPY, MOVE and DELETE requests may run or wait at a time; further ones are refused (503)"),
		setting.New("operations-per-user", "NUMBER", "", setting.Value(&h.Limits.OperationsOf, setting.Count),
			"how many of them one user or address may have, as for --listings-per-user (default: a quarter of --operations-at-once)"),
		setting.New("uploads-at-once", "NUMBER", "1000", setting.Value(&h.Limits.Uploads, setting.Count),
			"how many files may be uploaded in parts at a time, including those that wait to be continued; further ones are refused (503)"),
		setting.New("uploads-per-user", "NUMBER", "", setting.Value(&h.Limits.UploadsOf, setting.Count),
			"how many of them one user or address may have, as for --listings-per-user (default: a quarter of --uploads-at-once)"),
		setting.New("max-upload-size", "SIZE", "", setting.Value(&h.Limits.UploadSize, parseSize),
			"the largest file that can be uploaded in parts; larger ones are refused (413) (default: no limit)"),
		setting.New("upload-age", "TIME", "24h", setting.Value(&h.Limits.UploadAge, aboveZero),
			"how long an upload in parts waits to be continued before what has arrived is removed"),
		setting.New("on-disconnect", "WAY", "finish", setting.Value(&h.CancelWhenGone, parseCancel),
			"what happens to a COPY, MOVE or DELETE whose client disconnects: finish it, or cancel it and roll back as much as possible"),
		setting.New("stall-timeout", "TIME", "2m", setting.Value(&h.StallTimeout, setting.ZeroIsNegative(setting.Duration)),
			"close the connection of a client that neither accepts data of a listing nor sends data of a request body for this long; 0 for no limit"),
		setting.New("min-rate", "SIZE", "500B", setting.Value(&h.MinRate, setting.ZeroIsNegative(setting.Size)),
			"how much of a request body must arrive per second, on average over each --stall-timeout; 0 for no minimum"),
		fixed(setting.New("drain", "TIME", "10s", setting.Value(&c.Drain, setting.Duration),
			"how long requests may continue after davd is told to stop; then operations are rolled back and answered with 503")),
	}
}

func (c *Config) interim() []*setting.Setting {
	i := &c.Handler.Interim
	return []*setting.Setting{
		setting.New("interim", "MODE", "auto", setting.Word(&i.Mode, interim.Auto, interim.Always, interim.Never),
			"when to send interim responses: always, never, or to clients that ask for them or are known to understand them (auto)"),
		setting.New("interim-after", "TIME", "20s", setting.Value(&i.After, setting.ZeroIsNegative(setting.Duration)),
			"how long an operation runs before its first interim response; 0s to send one immediately"),
		setting.New("interim-every", "TIME", "20s", setting.Value(&i.Every, aboveZero),
			"the time between two interim responses"),
		setting.New("interim-client", "NAME=CAP", "", setting.List(&i.Clients, parseClient),
			"send at most CAP interim responses per request to the client that User-Agent calls NAME, or none if CAP is 0; overrides the table of davd clients; can be a list (default: none)"),
		setting.New("interim-proxy", "WHAT", "none", setting.Word(&i.Proxy, interim.ProxyNone, interim.ProxyPass, interim.ProxyApache),
			"what the proxies in front do with interim responses: pass them all on (pass), pass on nine per request, as Apache httpd does (apache), or unknown (none); with none, in mode auto, davd sends none to a client behind a proxy that it can detect"),
	}
}

func (c *Config) monitoring() []*setting.Setting {
	return []*setting.Setting{
		fixed(setting.New("metrics-addr", "ADDR", "", setting.Value(&c.Metrics.Addr, ParseAddr).Relative(relativeAddr),
			"serve metrics for Prometheus (/metrics), /healthz and /readyz at this host:port or unix:PATH, without passwords; other machines should not reach it (default: don't)")),
		fixed(setting.New("pprof", "", "", setting.Switch(&c.Metrics.Pprof),
			"serve profiles of the running davd at --metrics-addr too, below /debug/pprof/; a profile can contain names of files and users")),
	}
}

func (c *Config) log() []*setting.Setting {
	return []*setting.Setting{
		fixed(setting.New("log-format", "text|json", "text", setting.Word(&c.LogFormat, Text, JSON),
			"the format of each line: text, or a JSON object")),
		setting.New("log-level", "LEVEL", "info", setting.Word(&c.LogLevel, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError),
			"the lowest level to log: debug, info, warn or error"),
	}
}
