package main

import (
	"github.com/urfave/cli/v2"
)

const (
	commandCategory    = "Flags"
	connectionCategory = "Connection"
)

// connectionFlags returns the flags of all client commands.
func connectionFlags() []cli.Flag {
	return []cli.Flag{
		textFlag(connectionCategory, "user", "NAME[:PASSWORD]", "", "your user name; if the password is missing, davd looks in DAVD_PASSWORD and ~/.netrc, then asks you"),
		textFlag(connectionCategory, "cacert", "FILE", "", "also trust the certificates in this PEM file"),
		textFlag(connectionCategory, "progress", "WHEN", "auto", "when to show the progress: auto, always or never; on a terminal it is a bar, elsewhere a line every 10 s after the first 2 s (auto) or every second (always)"),
	}
}

func recursiveFlag(what string) cli.Flag {
	return &cli.BoolFlag{Category: commandCategory, Name: "recursive", Aliases: []string{"r"}, Usage: what}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{
		Category: commandCategory, Name: "force", Aliases: []string{"f"},
		Usage: "replace what already exists; without this, that is an error",
	}
}

func longFlag() cli.Flag {
	return &cli.BoolFlag{Category: commandCategory, Name: "long", Aliases: []string{"l"}, Usage: "show modification times and sizes in bytes"}
}

func levelFlag() cli.Flag {
	return &cli.IntFlag{
		Category: commandCategory, Name: "level", Aliases: []string{"L"},
		Usage: withPlaceholder("DEPTH", "how many levels to show; 0 for all"),
	}
}
