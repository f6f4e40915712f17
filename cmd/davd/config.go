package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
)

const (
	configCheckAbout = `
Checks a configuration file: FILE, or the one that davd serve would read. Each
mistake is a line with file, line and column.

Exit status: 0 for a valid file, 1 for one with mistakes, 2 if there is no file
that davd can read, or for wrong usage.`

	configShowAbout = `
Shows the settings that are in effect, and where each one is from: a flag, a
variable, a line of the configuration file, or the default. It takes the flags
of davd serve. Passwords and their hashes are not shown.`

	configExampleAbout = `
Prints a configuration file with all settings, their defaults and what they are
for.

  davd config example > davd.yaml`
)

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

func configCommands(p *program) []command {
	return []command{configCheckCommand(p), configShowCommand(p), configExampleCommand(p)}
}

func configCheckCommand(p *program) command {
	cfg := config.New(nil)
	return command{
		name: "config check", arguments: "[FILE]", about: configCheckAbout,
		run: func(c *cli.Context) error {
			if err := checkConfig(cfg, c.Args().First()); err != nil {
				return err
			}
			for _, warning := range cfg.Warnings {
				fmt.Fprintln(p.stderr, "warning: "+warning)
			}
			_, err := fmt.Fprintf(p.stdout, "%s: valid\n", cfg.File)
			return err
		},
	}
}

// checkConfig reads the file, or the default one. The error has the exit code.
func checkConfig(cfg *config.Config, name string) error {
	if name == "" {
		name = config.DefaultFile()
	}
	if name == "" {
		return usagef("no configuration file: there is none at %s; name one", strings.Join(config.DefaultFiles(), " or "))
	}
	err := cfg.LoadFile(name)
	if problems, ok := err.(config.FileErrors); ok { //nolint:errorlint // it is not wrapped
		return &exitError{problems, exitFailed}
	}
	if err != nil {
		return &usageError{err}
	}
	return nil
}

func configShowCommand(p *program) command {
	cfg := config.New(nil)
	var asJSON bool
	return command{
		name: "config show", arguments: "[DIR]", about: configShowAbout,
		settings: append(cfg.Settings(), flags(jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			if err := cfg.Load(c.Args().First()); err != nil {
				return err
			}
			for _, warning := range cfg.Warnings {
				fmt.Fprintln(p.stderr, "warning: "+warning)
			}
			if asJSON {
				return showJSON(p.stdout, cfg)
			}
			return showTable(p.stdout, cfg)
		},
	}
}

func configExampleCommand(p *program) command {
	return command{
		name: "config example", about: configExampleAbout,
		run: func(*cli.Context) error { return config.Example(p.stdout) },
	}
}

// hidden stands for a password or its hash.
const hidden = "(hidden)"

// shown returns the values of an entry, without secrets.
func shown(e *config.Entry) []string {
	if e.Secret && len(e.Values) > 0 {
		return []string{hidden}
	}
	return e.Values
}

func showJSON(w io.Writer, cfg *config.Config) error {
	type entry struct {
		Key    []string `json:"key"`
		Value  any      `json:"value"`
		Origin string   `json:"origin"`
	}
	document := struct {
		File     string   `json:"file,omitempty"`
		Files    []string `json:"files"`
		Settings []entry  `json:"settings"`
	}{File: cfg.File, Files: append([]string{}, cfg.Files...)}
	for _, e := range cfg.Entries() {
		out := entry{Key: e.Key, Origin: e.From()}
		if e.Origin.InFile() {
			out.Origin = e.Origin.Place.String()
		}
		switch values := shown(&e); {
		case e.IsList:
			out.Value = append([]string{}, values...)
		case len(values) > 0:
			out.Value = strings.Join(values, ",")
		}
		document.Settings = append(document.Settings, out)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// The widths of the table's columns. It fits a terminal.
const (
	maxKeyWidth    = 34
	maxOriginWidth = 22
	columnGap      = 2
)

func showTable(w io.Writer, cfg *config.Config) error {
	rows := [][3]string{{"SETTING", "VALUE", "ORIGIN"}}
	for _, e := range cfg.Entries() {
		rows = append(rows, [3]string{e.Name(), strings.Join(shown(&e), ", "), e.From()})
	}
	key, origin := 0, 0
	for _, row := range rows {
		key = max(key, min(utf8.RuneCountInString(row[0]), maxKeyWidth))
		origin = max(origin, min(utf8.RuneCountInString(row[2]), maxOriginWidth))
	}
	value := helpWidth - key - origin - 2*columnGap
	var table strings.Builder
	for _, row := range rows {
		cells := [3][]string{pieces(row[0], key), pieces(row[1], value), pieces(row[2], origin)}
		for i := range max(len(cells[0]), len(cells[1]), len(cells[2])) {
			line := fmt.Sprintf("%-*s  %-*s  %s", key, piece(cells[0], i), value, piece(cells[1], i), piece(cells[2], i))
			table.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, table.String())
	return err
}

// pieces breaks text into pieces of at most width characters. Control characters become "?".
func pieces(text string, width int) []string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, text)
	var all []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(len(runes), width)
		all = append(all, string(runes[:n]))
		runes = runes[n:]
	}
	return all
}

func piece(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return ""
}
