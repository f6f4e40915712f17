package main

import (
	"io"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// program is one run of davd.
type program struct {
	stdout, stderr io.Writer
}

type command struct {
	// name has two words for a subcommand.
	name string
	// arguments are as the help shows them.
	arguments, about string
	settings         []*setting.Setting
	// common has the names of the settings that the help shows first.
	common []string
	// check checks the arguments. If it is nil, their number must be as in arguments.
	check func(args []string) error
	// run is called when the settings have been read.
	run func(*cli.Context) error
}

// cli returns the command in the form of the library.
func (cmd command) cli() *cli.Command {
	var flags []cli.Flag
	for _, s := range cmd.settings {
		flag := &cli.GenericFlag{Name: s.Name, Value: s}
		if s.Short != "" {
			flag.Aliases = []string{s.Short}
		}
		flags = append(flags, flag)
	}
	check := cmd.check
	if check == nil {
		check = cmd.checkNumber
	}
	return &cli.Command{
		Name:               cmd.name,
		Flags:              flags,
		CustomHelpTemplate: literal(cmd.help()),
		HideHelpCommand:    true, // a directory may be called help
		OnUsageError:       flagError(cmd.name, cmd.settings),
		Action: func(c *cli.Context) error {
			if err := check(c.Args().Slice()); err != nil {
				return err
			}
			for _, s := range cmd.settings {
				s.ReadEnv()
			}
			if err := setting.Read(cmd.settings); err != nil {
				return err
			}
			return cmd.run(c)
		},
	}
}

// checkNumber checks the number of arguments. Those in brackets are optional.
func (cmd command) checkNumber(args []string) error {
	names := strings.Fields(cmd.arguments)
	least := len(names) - strings.Count(cmd.arguments, "[")
	switch {
	case len(names) == 0 && len(args) > 0:
		return usagef("davd %s takes no arguments, and %s is one: see davd %[1]s --help", cmd.name, args[0])
	case len(args) < least || len(args) > len(names):
		return usagef("davd %s takes %s: see davd %[1]s --help", cmd.name, cmd.arguments)
	}
	return nil
}

// flagGroup is the title of the settings that only belong to one command.
const flagGroup = "Flags"

// flags returns the settings that only belong to one command.
func flags(settings ...*setting.Setting) []*setting.Setting {
	return setting.Group(flagGroup, settings...)
}

func jsonFlag(to *bool, help string) *setting.Setting {
	return &setting.Setting{Name: "json", FlagOnly: true, Into: setting.Switch(to), Help: help}
}

// version returns the version of the module, as recorded by the go command.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
