package main

import (
	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// The categories of flags.
const (
	whatCategory    = "What is served"
	whereCategory   = "Where"
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
		textFlag(whatCategory, "storage", "dir|mem", d.Storage, "a directory, or an empty tree in memory that is gone at the end"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "read-only", EnvVars: []string{envVar("read-only")},
			Usage: "refuse whatever would change something",
		},
		textFlag(whatCategory, "symlinks", "POLICY", d.Symlinks, "where symbolic links lead: nowhere (deny), to what is in the directory (inside), or anywhere (follow), outside too"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "copy-links", EnvVars: []string{envVar("copy-links")},
			Usage: "copy symbolic links in a collection as links, and not what they lead to",
		},
		textFlag(whatCategory, "fsync", "WHEN", d.Fsync, "what of a PUT or PATCH is on the disk before its answer: never (nothing, as far as davd is concerned), close (the content) or always (the name too); a crash of the machine can undo the rest"),
		&cli.BoolFlag{
			Category: whatCategory, Name: "partial-put", EnvVars: []string{envVar("partial-put")},
			Usage: "take a PUT with Content-Range as one of a part of the file, rather than refuse it",
		},
		textFlag(whatCategory, "latency", "TIME", "", "make each storage call take that much longer, to try out slow storage"),
		textFlag(whatCategory, "compress", "MODE", d.Compress, "compress listings and pages, in gzip or zstd, for clients that accept it: always, never, or (auto) for those on other machines; files go as they are"),
		addrFlag("listen at host:port (port 0: any free one) or unix:PATH; several by commas, or by several --addr"),
		hostFlag(),
		textFlag(whereCategory, "prefix", "/PATH", "", "serve below this path of the URL"),
		listFlag(whereCategory, "trusted-proxy", "CIDR", "believe what these proxies in front tell of the client: its address (X-Forwarded-For), for the log and for failed passwords, and the scheme and host it asked for (X-Forwarded-Proto, X-Forwarded-Host, Forwarded); several by commas"),
		textFlag(whereCategory, "tls-cert", "FILE", "", "serve HTTPS and HTTP/2, with this certificate (PEM)"),
		textFlag(whereCategory, "tls-key", "FILE", "", "the key of the certificate (PEM)"),
		textFlag(whoCategory, "htpasswd", "FILE", "", "ask for a password: the users and their hashes (made by htpasswd -B), read again when they change"),
		textFlag(whoCategory, "realm", "TEXT", d.Realm, "what clients show whom they ask for the password"),
		listFlag(whoCategory, "admin", "USER", "a user who sees and may stop everybody's operations; several by commas"),
		&cli.BoolFlag{
			Category: whoCategory, Name: "anonymous", EnvVars: []string{envVar("anonymous")},
			Usage: "let anyone who reaches the address read and write; without this or --htpasswd davd listens on this machine only",
		},
		textFlag(stateCategory, "state", "DIR|FILE.db|mem", d.State, "where they are kept; mem: in memory, gone at the end (default /var/lib/davd for root, else $XDG_STATE_HOME/davd or what the system has instead)"),
		textFlag(stateCategory, "lock-timeout-min", "TIME", d.LockTimeoutMin, "the shortest time after which a lock ends that is not renewed"),
		textFlag(stateCategory, "lock-timeout-max", "TIME", d.LockTimeoutMax, "the longest; infinite: as the client asks"),
		textFlag(stateCategory, "locks-per-user", "NUMBER", d.LocksPerUser, "how many locks one user may have at a time or, without users, all clients together"),
		textFlag(stateCategory, "locks-per-address", "NUMBER", d.LocksPerAddress, "how many of them one address may have, without users; this machine's own, where a proxy may stand, three times as many (default: a quarter)"),
		textFlag(stateCategory, "properties-per-user", "SIZE", d.PropertiesPerUser, "how much room the properties that one user sets may take up, in B, KiB, MiB or GiB"),
		textFlag(stateCategory, "max-xml-body", "SIZE", d.MaxXMLBody, "the longest XML body of a request that is read, in B, KiB or MiB"),
		textFlag(longCategory, "propfind-infinity", "WHAT", d.PropfindInfinity, "a listing of a whole tree: allow, deny (403), or the number of members after which it enters no further collection (507 for each)"),
		textFlag(longCategory, "listings-at-once", "NUMBER", d.ListingsAtOnce, "how many listings of whole trees may be under way at a time; more are a 503"),
		textFlag(longCategory, "listings-per-user", "NUMBER", d.ListingsPerUser, "how many of one user or, without users, of one address; of this machine's own, where a proxy may stand, three times as many"),
		textFlag(longCategory, "operations-at-once", "NUMBER", d.OperationsAtOnce, "how many COPYs, MOVEs and DELETEs may be under way or waiting at a time; more are a 503"),
		textFlag(longCategory, "operations-per-user", "NUMBER", d.OperationsPerUser, "how many of one user or address, as for listings (default: a quarter)"),
		textFlag(longCategory, "on-disconnect", "WAY", d.OnDisconnect, "what a COPY, MOVE or DELETE does when its client goes: finish, or cancel and roll back what can be"),
		textFlag(longCategory, "stall-timeout", "TIME", d.StallTimeout, "how long a client may take none of a long listing, or send none of a request body, before its connection is closed (0: for ever)"),
		textFlag(longCategory, "min-rate", "SIZE", d.MinRate, "how much of a request body must arrive per second, on average over each --stall-timeout (0: anything)"),
		textFlag(longCategory, "drain", "TIME", d.Drain, "how long requests may go on after the signal to stop; then they roll back and answer 503"),
		textFlag(interimCategory, "interim", "MODE", d.Interim, "send them always, never, or (auto) to clients that ask for them or are known to understand them"),
		textFlag(interimCategory, "interim-after", "TIME", d.InterimAfter, "age of an operation at its first one; 0s: at once"),
		textFlag(interimCategory, "interim-every", "TIME", d.InterimEvery, "time from one to the next"),
		interimClientFlag(interimCategory),
		textFlag(interimCategory, "interim-proxy", "WHAT", d.InterimProxy, "what the proxies in front do with them: it is not known (none, so no client gets any through a proxy that shows), they pass them on (pass), or an Apache httpd passes on nine (apache)"),
		textFlag(logCategory, "log-format", "text|json", d.LogFormat, "how it is written"),
		textFlag(logCategory, "log-level", "LEVEL", d.LogLevel, "the least that is logged: debug, info, warn or error"),
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
	return listFlag(whereCategory, "host", "NAME", "without --htpasswd, answer to this host name as well as to localhost, IP addresses and names in --addr; requests for other names are a 421, because web pages of strangers could send them (DNS rebinding); several by commas")
}

// interimClientFlag is the flag --interim-client.
func interimClientFlag(category string) cli.Flag {
	return listFlag(category, "interim-client", "NAME=CAP", "a client, as User-Agent names it, and how many it survives (0: none), in place of what davd clients shows; several by commas")
}

// listFlag is a flag that may be there several times.
func listFlag(category, name, placeholder, usage string) cli.Flag {
	return &cli.StringSliceFlag{
		Category: category, Name: name, EnvVars: []string{envVar(name)},
		Usage: withPlaceholder(placeholder, usage),
	}
}

// textFlag is a flag whose value config reads: that is where errors are found.
func textFlag(category, name, placeholder, value, usage string) cli.Flag {
	return &cli.StringFlag{
		Category: category, Name: name, EnvVars: []string{envVar(name)},
		Value: value,
		Usage: withPlaceholder(placeholder, usage),
	}
}

// settings are what c's flags and arguments say.
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
