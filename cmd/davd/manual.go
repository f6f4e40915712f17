package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/manual"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

const (
	versionAbout = `
Shows the version of davd, the version of Go that built it, and the revision of
its source.`

	completionAbout = `
Prints the completion of commands and flags for a shell.

  bash  davd completion bash > /etc/bash_completion.d/davd
  zsh   davd completion zsh > "${fpath[1]}/_davd"
  fish  davd completion fish > ~/.config/fish/completions/davd.fish`

	manAbout = `
Prints the manual page of a command, or that of davd. With --dir, writes all
pages into a directory.

  davd man serve | man -l -
  davd man --dir /usr/local/share/man/man1`
)

// programCommands returns the commands about the program itself.
func programCommands(p *program) []command {
	return []command{versionCommand(p), completionCommand(p), manCommand(p)}
}

func versionCommand(p *program) command {
	var asJSON bool
	return command{
		name: "version", about: versionAbout, settings: flags(jsonFlag(&asJSON, "print JSON")),
		run: func(*cli.Context) error {
			b := readBuild()
			if asJSON {
				return writeJSON(p.stdout, b)
			}
			return b.write(p.stdout)
		},
	}
}

// build says how the program was built.
type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
	// Revision and Time are those of the source. They are empty if the go command did not
	// find out.
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	// Modified says that the source has changes that are not in the revision.
	Modified bool `json:"modified"`
}

func readBuild() build {
	b := build{Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) write(w io.Writer) error {
	text := fmt.Sprintf("davd %s\n%s %s\n", b.Version, b.Go, b.System)
	if b.Revision != "" {
		text += "revision " + b.Revision + " of " + b.Time
		if b.Modified {
			text += ", with changes"
		}
		text += "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func completionCommand(p *program) command {
	return command{
		name: "completion", arguments: strings.Join(manual.Shells, "|"), about: completionAbout,
		check: func(args []string) error {
			if len(args) != 1 || !slices.Contains(manual.Shells, args[0]) {
				return usagef("davd completion takes the name of a shell: write %s", strings.Join(manual.Shells, ", "))
			}
			return nil
		},
		run: func(c *cli.Context) error {
			described := describe(p)
			_, err := io.WriteString(p.stdout, described.Completion(c.Args().First()))
			return err
		},
	}
}

func manCommand(p *program) command {
	dir := ""
	return command{
		name: "man", arguments: "[COMMAND] [SUBCOMMAND]", about: manAbout,
		settings: flags(&setting.Setting{Name: "dir", Takes: "DIR", FlagOnly: true, Into: setting.Value(&dir, setting.Text), Help: "write all pages into this directory"}),
		run: func(c *cli.Context) error {
			described := describe(p)
			if dir != "" {
				return writePages(described, dir)
			}
			name := strings.Join(c.Args().Slice(), " ")
			if name == "" {
				_, err := io.WriteString(p.stdout, described.Page())
				return err
			}
			i := slices.IndexFunc(described.Commands, func(c manual.Command) bool { return c.Name == name })
			if i < 0 {
				return usagef("davd %s is no command with a page: see davd --help", name)
			}
			_, err := io.WriteString(p.stdout, described.CommandPage(&described.Commands[i]))
			return err
		},
	}
}

// writePages writes all manual pages into dir.
func writePages(described *manual.Program, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // everyone reads manual pages
		return err
	}
	write := func(command, page string) error {
		return os.WriteFile(filepath.Join(dir, described.PageName(command)+".1"), []byte(page), 0o644) //nolint:gosec // as above
	}
	err := write("", described.Page())
	for i := range described.Commands {
		if err == nil {
			err = write(described.Commands[i].Name, described.CommandPage(&described.Commands[i]))
		}
	}
	return err
}

// describe returns all commands in the form for manual pages.
func describe(p *program) *manual.Program {
	about, _, _ := strings.Cut(overview, "\nUsage:")
	date, _, _ := strings.Cut(readBuild().Time, "T")
	described := &manual.Program{Name: "davd", Version: version(), Date: date, About: about}
	for _, c := range commands(p) {
		out := manual.Command{Name: c.name, Arguments: c.arguments, About: c.about}
		for _, g := range c.groups() {
			for _, s := range g.settings {
				out.Flags = append(out.Flags, manual.Flag{
					Name: s.Name, Short: s.Short, Takes: s.Takes, Help: flagHelp(s), Title: g.title,
					Words: s.Words(), Variable: s.EnvVar(),
				})
			}
		}
		described.Commands = append(described.Commands, out)
	}
	return described
}
