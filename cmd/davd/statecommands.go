package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/sqlstate"
)

const (
	stateBackupAbout = `
Writes a copy of the state of the davd that serves DIR, or the current
directory, into a new FILE. That davd may be running and goes on. The state has
locks, properties, unfinished operations, the history and application passwords.
The files that davd serves are not part of it.

To restore a backup, stop davd and put FILE in the place of the database, whose
name davd logs when it starts. Remove NAME.db-wal beside it, and leave
NAME.db-strays.

A state in PostgreSQL is saved with pg_dump.

  davd state backup /var/backups/davd.db --config /etc/davd/davd.yaml`

	stateCheckAbout = `
Reads the whole state of the davd that serves DIR, or the current directory, and
says what is wrong with it. That davd may be running. Nothing is changed. With
--state FILE, it checks a backup. With the URL of a PostgreSQL database, it
reads the rows; damaged files are a subject of pg_amcheck.

Exit status: 0 if the state is sound, 3 if it is damaged, 1 if it can't be
checked.`
)

// exitDamaged is the exit code of davd state check for a damaged state.
const exitDamaged = 3

func stateCommands(p *program) []command {
	return []command{stateBackupCommand(p), stateCheckCommand(p)}
}

// backup is the result of davd state backup.
type backup struct {
	Database string `json:"database"`
	Backup   string `json:"backup"`
}

func stateBackupCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "state backup", arguments: "FILE [DIR]", about: stateBackupAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			to := c.Args().First()
			if err := cfg.Load(c.Args().Get(1)); err != nil {
				return err
			}
			if cfg.State.URL != "" {
				return fmt.Errorf("a state in PostgreSQL is saved by pg_dump: pg_dump --format=custom --file=%s '%s'", client.Shown(to), cfg.State.Shown())
			}
			file, running, err := findState(c.Context, cfg, c.Args().Get(1))
			if err != nil {
				return stateError(err)
			}
			if err := sqlstate.Backup(c.Context, file, to, running != nil); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, backup{Database: file, Backup: to})
			}
			_, err = fmt.Fprintf(p.stdout, "%s is a backup of %s\n", client.Shown(to), client.Shown(file))
			return err
		},
	}
}

// checked is the result of davd state check.
type checked struct {
	Database string `json:"database"`
	sqlstate.Report
}

func stateCheckCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "state check", arguments: "[DIR]", about: stateCheckAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			file, report, err := checkState(c.Context, cfg, c.Args().First())
			if err != nil {
				return err
			}
			if err := writeReport(p, checked{file, report}, asJSON); err != nil {
				return err
			}
			if n := len(report.Problems); n > 0 {
				return &exitError{fmt.Errorf("%s is damaged (problems: %d): stop davd and restore a backup", client.Shown(file), n), exitDamaged}
			}
			return nil
		},
	}
}

// checkState checks the state of the davd that serves dir. dir is "" if the operator did not name it.
func checkState(ctx context.Context, cfg *config.Config, dir string) (where string, r sqlstate.Report, err error) {
	if err := cfg.Load(dir); err != nil {
		return "", r, err
	}
	if cfg.State.URL != "" {
		r, err = pgstate.Check(ctx, cfg.State.URL)
		return cfg.State.Shown(), r, err
	}
	file, running, err := findState(ctx, cfg, dir)
	if err != nil {
		return "", r, stateError(err)
	}
	r, err = sqlstate.Check(ctx, file, running != nil)
	return file, r, err
}

func writeReport(p *program, c checked, asJSON bool) error {
	if asJSON {
		return writeJSON(p.stdout, c)
	}
	for _, problem := range c.Problems {
		if _, err := fmt.Fprintln(p.stdout, client.Shown(problem)); err != nil {
			return err
		}
	}
	if len(c.Problems) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(p.stdout, "%s is sound: version %d, %d locks, %d properties, %d operations, %d application passwords, %d unfinished operations\n",
		client.Shown(c.Database), c.Version, c.Locks, c.Properties, c.Operations, c.Tokens, c.Unfinished)
	return err
}

// stateError explains an error of findState.
func stateError(err error) error {
	if errors.Is(err, state.ErrInMemory) {
		return errors.New("the state of a davd with --state mem is in memory, where no other program can reach it")
	}
	return err
}
