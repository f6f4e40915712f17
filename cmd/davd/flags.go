package main

import (
	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// The categories of flags.
const (
	whatCategory    = "Files"
	whereCategory   = "Network"
	whoCategory     = "Users"
	stateCategory   = "Locks and properties"
	longCategory    = "Long operations"
	interimCategory = "Interim responses"
	logCategory     = "Log, on standard error"
)

// serveFlags are the flags of davd serve, in the order of its help.
func serveFlags() []cli.Flag {
	d := config.Defaults()
	return []cli.Flag{
		textFlag(whatCategory, "storage", "dir|mem", d.Storage, "serve a directory (dir), or an empty tree in memory that is lost when davd exits (mem)"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "read-only", EnvVars: []string{envVar("read-only")},
			Usage: "refuse all requests that would change something",
		},
		textFlag(whatCategory, "symlinks", "POLICY", d.Symlinks, "which symbolic links to follow: none (deny), those that stay inside the directory (inside), or all, even those that lead out of it (follow)"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "copy-links", EnvVars: []string{envVar("copy-links")},
			Usage: "when copying a collection, copy symbolic links as links, not the files that they lead to",
		},
		textFlag(whatCategory, "fsync", "WHEN", d.Fsync, "what davd writes through to the disk before it answers a PUT or PATCH: nothing (never), the content (close), or the content and the name (always); if the machine crashes, the rest can be lost"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "partial-put", EnvVars: []string{envVar("partial-put")},
			Usage: "let a PUT with Content-Range write a part of a file; without this, it is refused",
		},
		textFlag(whatCategory, "latency", "TIME", "", "delay each storage call, to try out slow storage (default 0s)"),
		textFlag(whatCategory, "compress", "MODE", d.Compress, "compress listings and pages with gzip or zstd, for clients that accept it: always, never, or only for clients on other machines (auto); files are never compressed"),
		addrFlag("listen at this host:port or unix:PATH; port 0 is any free port; can be a list"),
		hostFlag(),
		textFlag(whereCategory, "prefix", "/PATH", "", "serve the files below this URL path (default: at the root)"),
		listFlag(whereCategory, "trusted-proxy", "CIDR", "trust the proxies in this network to name the client's address (X-Forwarded-For) and the scheme and host that it asked for (X-Forwarded-Proto, X-Forwarded-Host, Forwarded); davd uses the address in the log, for limits and to slow down password guessing; can be a list (default: none)"),
		textFlag(whereCategory, "tls-cert", "FILE", "", "serve HTTPS and HTTP/2 with the certificate in this PEM file (default: plain HTTP)"),
		textFlag(whereCategory, "tls-key", "FILE", "", "the PEM file with the certificate's private key"),
		textFlag(whoCategory, "htpasswd", "FILE", "", "ask for a password, and let in the users in this file; create it with htpasswd -B; davd notices changes (default: no users)"),
		textFlag(whoCategory, "realm", "TEXT", d.Realm, "the name that clients show when they ask for a password"),
		listFlag(whoCategory, "admin", "USER", "let this user see and stop the operations of all users; can be a list (default: none)"),
		&cli.BoolFlag{
			Category: whoCategory, Name: "anonymous", EnvVars: []string{envVar("anonymous")},
			Usage: "let anyone who can reach davd read and write; without this or --htpasswd, davd only listens on this machine",
		},
		textFlag(stateCategory, "state", "DIR|FILE.db|mem", d.State, "where davd keeps locks and properties: a directory, a database file, or memory, where they are lost when davd exits (default: /var/lib/davd for root; for other users $XDG_STATE_HOME/davd or the system's equivalent)"),
		textFlag(stateCategory, "lock-timeout-min", "TIME", d.LockTimeoutMin, "the shortest lock timeout that a client can get; a lock ends when its client does not renew it in time"),
		textFlag(stateCategory, "lock-timeout-max", "TIME", d.LockTimeoutMax, "the longest lock timeout that a client can get, or infinite for no limit"),
		textFlag(stateCategory, "locks-per-user", "NUMBER", d.LocksPerUser, "how many locks one user may hold at a time; without users, the limit for all clients together"),
		textFlag(stateCategory, "locks-per-address", "NUMBER", d.LocksPerAddress, "without users, how many locks the clients at one address may hold; this machine itself may hold three times as many, because clients may share its address behind a local proxy (default: a quarter of --locks-per-user)"),
		textFlag(stateCategory, "properties-per-user", "SIZE", d.PropertiesPerUser, "how much space the properties set by one user may take up"),
		textFlag(stateCategory, "max-xml-body", "SIZE", d.MaxXMLBody, "the largest XML body that a request may have"),
		textFlag(longCategory, "propfind-infinity", "WHAT", d.PropfindInfinity, "what to do with a request for the listing of a whole tree: allow it, deny it (403), or stop entering collections after this number of members (507 for each one left out)"),
		textFlag(longCategory, "listings-at-once", "NUMBER", d.ListingsAtOnce, "how many listings of whole trees may run at a time; further ones are refused (503)"),
		textFlag(longCategory, "listings-per-user", "NUMBER", d.ListingsPerUser, "how many of them one user may run or, without users, one address; three times as many for this machine itself, as for --locks-per-address"),
		textFlag(longCategory, "operations-at-once", "NUMBER", d.OperationsAtOnce, "how many COPY, MOVE and DELETE requests may run or wait at a time; further ones are refused (503)"),
		textFlag(longCategory, "operations-per-user", "NUMBER", d.OperationsPerUser, "how many of them one user or address may have, as for --listings-per-user (default: a quarter of --operations-at-once)"),
		textFlag(longCategory, "on-disconnect", "WAY", d.OnDisconnect, "what happens to a COPY, MOVE or DELETE whose client disconnects: finish it, or cancel it and roll back as much as possible"),
		textFlag(longCategory, "stall-timeout", "TIME", d.StallTimeout, "close the connection of a client that neither accepts data of a listing nor sends data of a request body for this long; 0 for no limit"),
		textFlag(longCategory, "min-rate", "SIZE", d.MinRate, "how much of a request body must arrive per second, on average over each --stall-timeout; 0 for no minimum"),
		textFlag(longCategory, "drain", "TIME", d.Drain, "how long requests may continue after davd is told to stop; then operations are rolled back and answered with 503"),
		textFlag(interimCategory, "interim", "MODE", d.Interim, "when to send interim responses: always, never, or to clients that ask for them or are known to understand them (auto)"),
		textFlag(interimCategory, "interim-after", "TIME", d.InterimAfter, "how long an operation runs before its first interim response; 0s to send one immediately"),
		textFlag(interimCategory, "interim-every", "TIME", d.InterimEvery, "the time between two interim responses"),
		interimClientFlag(interimCategory),
		textFlag(interimCategory, "interim-proxy", "WHAT", d.InterimProxy, "what the proxies in front do with interim responses: pass them all on (pass), pass on nine per request, as Apache httpd does (apache), or unknown (none); with none, in mode auto, davd sends none to a client behind a proxy that it can detect"),
		textFlag(logCategory, "log-format", "text|json", d.LogFormat, "the format of each line: text, or a JSON object"),
		textFlag(logCategory, "log-level", "LEVEL", d.LogLevel, "the lowest level to log: debug, info, warn or error"),
	}
}

// addrFlag is the flag --addr.
func addrFlag(usage string) cli.Flag {
	return &cli.StringSliceFlag{
		Category: whereCategory, Name: "addr", EnvVars: []string{envVar("addr")},
		Value: cli.NewStringSlice(config.Defaults().Addrs...),
		Usage: withPlaceholder("ADDR", usage),
	}
}

// hostFlag is the flag --host.
func hostFlag() cli.Flag {
	return listFlag(whereCategory, "host", "NAME", "accept requests for this host name; without --htpasswd, davd only accepts localhost, IP addresses, the names in --addr and these, and answers others with 421, to protect against hostile web pages (DNS rebinding); can be a list (default: none)")
}

// interimClientFlag is the flag --interim-client.
func interimClientFlag(category string) cli.Flag {
	return listFlag(category, "interim-client", "NAME=CAP", "send at most CAP interim responses per request to the client that User-Agent calls NAME, or none if CAP is 0; overrides the table of davd clients; can be a list (default: none)")
}

// listFlag returns a flag that can be given several times.
func listFlag(category, name, placeholder, usage string) cli.Flag {
	return &cli.StringSliceFlag{
		Category: category, Name: name, EnvVars: []string{envVar(name)},
		Usage: withPlaceholder(placeholder, usage),
	}
}

// textFlag returns a flag whose value config parses and checks.
func textFlag(category, name, placeholder, value, usage string) cli.Flag {
	return &cli.StringFlag{
		Category: category, Name: name, EnvVars: []string{envVar(name)},
		Value: value,
		Usage: withPlaceholder(placeholder, usage),
	}
}

// settings collects the settings from the flags and arguments of c.
func settings(c *cli.Context) config.Settings {
	return config.Settings{
		Dir:            c.Args().First(),
		Addrs:          c.StringSlice("addr"),
		Hosts:          c.StringSlice("host"),
		Prefix:         c.String("prefix"),
		ReadOnly:       c.Bool("read-only"),
		Storage:        c.String("storage"),
		Fsync:          c.String("fsync"),
		PartialPut:     c.Bool("partial-put"),
		Symlinks:       c.String("symlinks"),
		CopyLinks:      c.Bool("copy-links"),
		Latency:        c.String("latency"),
		Compress:       c.String("compress"),
		HTPasswd:       c.String("htpasswd"),
		Realm:          c.String("realm"),
		Admins:         c.StringSlice("admin"),
		Anonymous:      c.Bool("anonymous"),
		State:          c.String("state"),
		OnDisconnect:   c.String("on-disconnect"),
		StallTimeout:   c.String("stall-timeout"),
		MinRate:        c.String("min-rate"),
		Drain:          c.String("drain"),
		LockTimeoutMin: c.String("lock-timeout-min"),
		LockTimeoutMax: c.String("lock-timeout-max"),
		LocksPerUser:   c.String("locks-per-user"),
		MaxXMLBody:     c.String("max-xml-body"),

		PropertiesPerUser: c.String("properties-per-user"),

		PropfindInfinity: c.String("propfind-infinity"),
		ListingsAtOnce:   c.String("listings-at-once"),
		ListingsPerUser:  c.String("listings-per-user"),

		LocksPerAddress:   c.String("locks-per-address"),
		OperationsAtOnce:  c.String("operations-at-once"),
		OperationsPerUser: c.String("operations-per-user"),

		Interim:        c.String("interim"),
		InterimAfter:   c.String("interim-after"),
		InterimEvery:   c.String("interim-every"),
		InterimClients: c.StringSlice("interim-client"),
		InterimProxy:   c.String("interim-proxy"),
		TrustedProxies: c.StringSlice("trusted-proxy"),
		TLSCert:        c.String("tls-cert"),
		TLSKey:         c.String("tls-key"),
		LogFormat:      c.String("log-format"),
		LogLevel:       c.String("log-level"),
	}
}
