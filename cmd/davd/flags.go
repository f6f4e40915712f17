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
		textFlag(whatCategory, "latency", "TIME", "", "make each storage call take that much longer, to try out slow storage"),
		addrFlag("listen at host:port (port 0: any free one) or unix:PATH; several by commas, or by several --addr"),
		textFlag(whereCategory, "prefix", "/PATH", "", "serve below this path of the URL"),
		textFlag(whereCategory, "tls-cert", "FILE", "", "serve HTTPS and HTTP/2, with this certificate (PEM)"),
		textFlag(whereCategory, "tls-key", "FILE", "", "the key of the certificate (PEM)"),
		textFlag(whoCategory, "htpasswd", "FILE", "", "ask for a password: the users and their hashes (made by htpasswd -B), read again when they change"),
		textFlag(whoCategory, "realm", "TEXT", d.Realm, "what clients show whom they ask for the password"),
		&cli.BoolFlag{
			Category: whoCategory, Name: "anonymous", EnvVars: []string{envVar("anonymous")},
			Usage: "let anyone who reaches the address read and write; without this or --htpasswd davd listens on this machine only",
		},
		textFlag(stateCategory, "state", "DIR|FILE.db|mem", d.State, "where they are kept; mem: in memory, gone at the end (default /var/lib/davd for root, else $XDG_STATE_HOME/davd or what the system has instead)"),
		textFlag(stateCategory, "lock-timeout-min", "TIME", d.LockTimeoutMin, "the shortest time after which a lock ends that is not renewed"),
		textFlag(stateCategory, "lock-timeout-max", "TIME", d.LockTimeoutMax, "the longest; infinite: as the client asks"),
		textFlag(stateCategory, "locks-per-user", "NUMBER", d.LocksPerUser, "how many locks one user may have at a time"),
		textFlag(stateCategory, "max-xml-body", "SIZE", d.MaxXMLBody, "the longest XML body of a request that is read, in B, KiB or MiB"),
		textFlag(longCategory, "on-disconnect", "WAY", d.OnDisconnect, "what a COPY, MOVE or DELETE does when its client goes: finish, or cancel and roll back what can be"),
		textFlag(longCategory, "drain", "TIME", d.Drain, "how long requests may go on after the signal to stop; then they roll back and answer 503"),
		textFlag(interimCategory, "interim", "MODE", d.Interim, "send them always, never, or (auto) to clients that ask for them or are known to understand them"),
		textFlag(interimCategory, "interim-after", "TIME", d.InterimAfter, "age of an operation at its first one; 0s: at once"),
		textFlag(interimCategory, "interim-every", "TIME", d.InterimEvery, "time from one to the next"),
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
		Prefix:         c.String("prefix"),
		ReadOnly:       c.Bool("read-only"),
		Storage:        c.String("storage"),
		Latency:        c.String("latency"),
		HTPasswd:       c.String("htpasswd"),
		Realm:          c.String("realm"),
		Anonymous:      c.Bool("anonymous"),
		State:          c.String("state"),
		OnDisconnect:   c.String("on-disconnect"),
		Drain:          c.String("drain"),
		LockTimeoutMin: c.String("lock-timeout-min"),
		LockTimeoutMax: c.String("lock-timeout-max"),
		LocksPerUser:   c.String("locks-per-user"),
		MaxXMLBody:     c.String("max-xml-body"),
		Interim:        c.String("interim"),
		InterimAfter:   c.String("interim-after"),
		InterimEvery:   c.String("interim-every"),
		TLSCert:        c.String("tls-cert"),
		TLSKey:         c.String("tls-key"),
		LogFormat:      c.String("log-format"),
		LogLevel:       c.String("log-level"),
	}
}
