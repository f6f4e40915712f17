package main

import (
	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// The categories of flags.
const (
	whatCategory    = "What is served"
	whereCategory   = "Where"
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
		Dir:          c.Args().First(),
		Addrs:        c.StringSlice("addr"),
		Prefix:       c.String("prefix"),
		ReadOnly:     c.Bool("read-only"),
		Storage:      c.String("storage"),
		Latency:      c.String("latency"),
		Interim:      c.String("interim"),
		InterimAfter: c.String("interim-after"),
		InterimEvery: c.String("interim-every"),
		TLSCert:      c.String("tls-cert"),
		TLSKey:       c.String("tls-key"),
		LogFormat:    c.String("log-format"),
		LogLevel:     c.String("log-level"),
	}
}
