package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/locks"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/shares"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
)

// The operator's commands work on the state of a davd. They use its control socket if that
// davd is running, and otherwise open its database.

const (
	locksAbout = `
Lists the locks of the davd that serves DIR, or the current directory. That davd
need not be running. davd locks and davd locks list are the same.

  PATH     the locked resource, relative to the share
  DEPTH    0, or infinity if everything below PATH is locked as well
  USER     the user who holds the lock, if davd asks for passwords
  OWNER    what the client says about the owner of the lock
  AGE      how long ago the lock was created
  EXPIRES  when the lock ends unless the client renews it
  TOKEN    the lock token, which davd unlock accepts in place of PATH`

	unlockAbout = `
Breaks the lock on PATH, or the lock with this TOKEN. DIR is the directory that
davd serves, by default the current one. That davd need not be running. The
client that holds the lock is not asked, and its next write fails. davd unlock
and davd locks break are the same.

  davd locks break /reports/2026.docx /srv/files`
)

// lockCommands returns further names of the commands for locks, beside those of other things that
// an operator can list. For a directory called list or break, write ./list.
func lockCommands(p *program) []command {
	list, unlock := locksCommand(p), unlockCommand(p)
	list.name, unlock.name = "locks list", "locks break"
	return []command{list, unlock}
}

func locksCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "locks", arguments: "[DIR]", about: locksAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			if err := checkSubcommand(p, c.Args().First()); err != nil {
				return err
			}
			return withLocks(c.Context, p, cfg, c.Args().First(), func(o locks.Operator) error {
				found, err := o.List(c.Context)
				if err != nil {
					return err
				}
				return writeFound(p, found, asJSON, "no locks", writeLocks)
			})
		},
	}
}

// checkSubcommand returns an error if dir does not exist and looks like a misspelt list or break.
func checkSubcommand(p *program, dir string) error {
	if _, err := os.Stat(dir); dir == "" || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if setting.Closest(dir, []string{"list", "break"}) == "" {
		return nil
	}
	return unknownCommand("locks", dir, lockCommands(p))
}

func unlockCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON, all bool
	return command{
		name: "unlock", arguments: "PATH|TOKEN [DIR]", about: unlockAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"),
			&setting.Setting{Name: "all", FlagOnly: true, Into: setting.Switch(&all), Help: "break all locks on PATH if there are several shared ones"})...),
		run: func(c *cli.Context) error {
			return withLocks(c.Context, p, cfg, c.Args().Get(1), func(o locks.Operator) error {
				broken, err := o.Break(c.Context, pathOrToken(c.Args().First(), all))
				switch {
				case err != nil:
					return err
				case asJSON:
					return writeJSON(p.stdout, broken)
				}
				for i := range broken {
					l := &broken[i]
					fmt.Fprintf(p.stdout, "unlocked %s (%s)\n", client.Shown(l.Path), client.Shown(l.Token))
				}
				return nil
			})
		},
	}
}

// operatorConfig returns a configuration for a command that works on a state, and the settings
// that select it.
func operatorConfig() (*config.Config, []*setting.Setting) {
	cfg := config.New(config.Defaults{"log-level": "warn"})
	file := cfg.Setting("config")
	file.Help = "the configuration file that davd serve runs with (default: its default)"
	s := cfg.Setting("state")
	s.Takes, s.Help = "DIR|FILE.db|URL", "the value of --state that davd serve runs with (default: its default)"
	node := cfg.Setting("node-name")
	node.Help = "the value of --node-name that davd serve runs with (default: its default)"
	return cfg, []*setting.Setting{file, s, node}
}

// withLocks calls do with the locks of the davd that serves dir. dir is "" if the operator did
// not name it.
func withLocks(ctx context.Context, p *program, cfg *config.Config, dir string, do func(locks.Operator) error) error {
	return withState(ctx, cfg, dir,
		func(c *control.Client) error { return do(&locks.Remote{Client: c}) },
		func(db *sqlstate.DB) error {
			manager, err := lockManager(cfg, db)
			if err != nil {
				return err
			}
			return do(&locks.Manager{Locks: manager, Log: newLog(p.stderr, cfg)})
		})
}

// lockManager returns the locks in db, by the names in the name space of cfg.
func lockManager(cfg *config.Config, db *sqlstate.DB) (lock.Manager, error) {
	if len(cfg.Shares) == 0 {
		return db.Locks(), nil
	}
	closed := &shares.Shares{Log: slog.New(slog.DiscardHandler)}
	if err := closed.Set(cfg); err != nil {
		return nil, err
	}
	return closed.FS.State(db).Locks(), nil
}

// errNotHere is returned for a state in PostgreSQL if the davd that uses it does not run here.
var errNotHere = errors.New("no davd with this --state and --node-name is running on this machine: run the command where one is running")

// withState calls running if the davd that serves dir is running, and otherwise stopped with
// its database. dir is "" if the operator did not name it.
func withState(ctx context.Context, cfg *config.Config, dir string, running func(*control.Client) error, stopped func(*sqlstate.DB) error) error {
	file, client, err := findState(ctx, cfg, dir)
	switch {
	case err != nil:
		return err
	case client != nil:
		return running(client)
	case cfg.State.URL != "":
		return errNotHere
	}
	db, err := sqlstate.Open(ctx, file)
	if err != nil {
		return err
	}
	return errors.Join(stopped(db), db.Close())
}

// findState returns the path of the database of the davd that serves dir, and a client if that
// davd is running.
func findState(ctx context.Context, cfg *config.Config, dir string) (file string, running *control.Client, err error) {
	if err := cfg.Load(dir); err != nil {
		return "", nil, err
	}
	if file, err = state.Find(cfg, dir != ""); err != nil {
		return "", nil, err
	}
	running, err = control.Connect(ctx, control.Path(file))
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return file, nil, nil
	case err != nil:
		return "", nil, fmt.Errorf("can't talk to the running davd: %w", err)
	}
	return file, running, nil
}

// pathOrToken decides whether arg is a lock token, which is a URI, or a path.
func pathOrToken(arg string, all bool) locks.Break {
	token := strings.TrimSuffix(strings.TrimPrefix(arg, "<"), ">")
	if !strings.HasPrefix(arg, "/") && strings.Contains(token, ":") {
		return locks.Break{Token: token, All: all}
	}
	return locks.Break{Path: arg, All: all}
}

func writeLocks(w io.Writer, found []locks.Lock) error {
	now := time.Now()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PATH\tDEPTH\tUSER\tOWNER\tAGE\tEXPIRES\tTOKEN")
	for i := range found {
		l := &found[i]
		age, expires := "unknown", "never"
		if l.Created != nil {
			age = now.Sub(*l.Created).Round(time.Second).String()
		}
		if l.Expires != nil {
			expires = "in " + l.Expires.Sub(now).Round(time.Second).String()
		}
		depth := l.Depth
		if l.Scope == "shared" {
			depth += ", shared"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", client.Shown(l.Path), depth,
			cmp.Or(client.Shown(l.User), "-"), cmp.Or(client.Shown(l.Owner), "-"), age, expires, client.Shown(l.Token))
	}
	return table.Flush()
}

// writeFound writes what a command has found, as JSON, as a table, or as the line none.
func writeFound[T any](p *program, found []T, asJSON bool, none string, table func(io.Writer, []T) error) error {
	switch {
	case asJSON:
		return writeJSON(p.stdout, found)
	case len(found) == 0:
		_, err := fmt.Fprintln(p.stdout, none)
		return err
	}
	return table(p.stdout, found)
}

func writeJSON(w io.Writer, content any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(content)
}
