package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// program is one run of davd.
type program struct {
	stdout, stderr io.Writer
}

// command is a command of davd.
type command struct {
	name string
	// arguments are as the help shows them.
	arguments, about string
	settings         setting.Groups
	// check checks the arguments. run is called when the settings have been read.
	check func(args []string) error
	run   func(*cli.Context) error
}

// cli returns the command in the form of the library.
func (cmd command) cli() *cli.Command {
	var flags []cli.Flag
	for s := range cmd.settings.All() {
		flag := &cli.GenericFlag{Name: s.Name, Value: s}
		if s.Short != "" {
			flag.Aliases = []string{s.Short}
		}
		flags = append(flags, flag)
	}
	return &cli.Command{
		Name:               cmd.name,
		Flags:              flags,
		CustomHelpTemplate: literal(cmd.help()),
		HideHelpCommand:    true, // a directory may be called help
		OnUsageError:       flagError,
		Action: func(c *cli.Context) error {
			if err := cmd.check(c.Args().Slice()); err != nil {
				return err
			}
			cmd.settings.ReadEnv()
			if err := cmd.settings.Read(); err != nil {
				return err
			}
			return cmd.run(c)
		},
	}
}

// commandGroup is the title of the settings that only belong to one command.
const commandGroup = "Flags"

func jsonSetting(to *bool, help string) *setting.Setting {
	return &setting.Setting{Name: "json", FlagOnly: true, Into: setting.Switch(to), Help: help}
}
