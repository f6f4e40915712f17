package main

import (
	"github.com/urfave/cli/v2"
)

const (
	commandCategory    = "Flags"
	connectionCategory = "Connection"
)

// connectionFlags are those of all commands that do something on a server.
func connectionFlags() []cli.Flag {
	return []cli.Flag{
		textFlag(connectionCategory, "user", "NAME[:PASSWORD]", "", "who you are; a password that is not here is that of DAVD_PASSWORD, of ~/.netrc, or is asked for"),
		textFlag(connectionCategory, "cacert", "FILE", "", "trust these certificates, too (PEM)"),
		textFlag(connectionCategory, "progress", "WHEN", "auto", "show how far it is: on a terminal as a bar (auto, always), elsewhere as a line, after 2 s and then each 10 s (auto) or each second (always); or never"),
	}
}

func recursiveFlag(what string) cli.Flag {
	return &cli.BoolFlag{Category: commandCategory, Name: "recursive", Aliases: []string{"r"}, Usage: what}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{
		Category: commandCategory, Name: "force", Aliases: []string{"f"},
		Usage: "replace what is there; otherwise that is an error",
	}
}

func longFlag() cli.Flag {
	return &cli.BoolFlag{Category: commandCategory, Name: "long", Aliases: []string{"l"}, Usage: "with sizes, in bytes, and times"}
}

func levelFlag() cli.Flag {
	return &cli.IntFlag{
		Category: commandCategory, Name: "level", Aliases: []string{"L"},
		Usage: withPlaceholder("DEPTH", "show so many levels; 0: all"),
	}
}
