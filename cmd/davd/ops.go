package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/ops"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/sqlstate"
)

const (
	opsListAbout = `
Lists what is running. That is every COPY, MOVE, DELETE and listing of all users
of the davd that serves DIR, or the current directory.

  ID       what davd ops stop accepts; the end of the address of its page
  METHOD   COPY, MOVE, DELETE or PROPFIND
  MEMBERS  how many files and collections are done, and found until now
  AGE      how long it has been running
  USER     the user who began it, if davd asks for passwords
  PATH     what it works on, and its destination
  NODE     with --state postgres://…, the davd that works on it, if another one`

	opsStopAbout = `
Stops an operation. ID is that of davd ops list. A COPY or MOVE leaves the
destination as it was. What a DELETE has removed is gone. The client gets the
status 403. The command waits until the operation has rolled back.`
)

func opsCommands(p *program) []command {
	return []command{opsListCommand(p), opsStopCommand(p)}
}

func opsListCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "ops list", arguments: "[DIR]", about: opsListAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			return withRunning(c.Context, cfg, c.Args().First(), func(running *control.Client) error {
				found, err := (&ops.Remote{Client: running}).List(c.Context)
				if err != nil {
					return err
				}
				return writeFound(p, found, asJSON, "no operations", writeOps)
			})
		},
	}
}

func opsStopCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "ops stop", arguments: "ID [DIR]", about: opsStopAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print the operation as it was before, in JSON"))...),
		run: func(c *cli.Context) error {
			return withRunning(c.Context, cfg, c.Args().Get(1), func(running *control.Client) error {
				op, err := (&ops.Remote{Client: running}).Stop(c.Context, c.Args().First())
				switch {
				case err != nil:
					return err
				case asJSON:
					return writeJSON(p.stdout, op)
				}
				_, err = fmt.Fprintf(p.stdout, "stopped %s %s\n", op.Method, client.Shown(op.Path))
				return err
			})
		},
	}
}

// errNoCommands is returned for a davd without a control socket.
var errNoCommands = errors.New("a davd with --state mem takes no commands")

// withRunning calls do if the davd that serves dir is running. dir is "" if the operator did not
// name it.
func withRunning(ctx context.Context, cfg *config.Config, dir string, do func(*control.Client) error) error {
	err := withState(ctx, cfg, dir, do, func(*sqlstate.DB) error { return errors.New("no davd with this state is running") })
	if errors.Is(err, state.ErrInMemory) {
		return errNoCommands
	}
	return err
}

func writeOps(w io.Writer, found []ops.Operation) error {
	now := time.Now()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	title := "ID\tMETHOD\tMEMBERS\tAGE\tUSER\tPATH"
	if slices.ContainsFunc(found, func(op ops.Operation) bool { return op.Node != "" }) {
		title += "\tNODE"
	}
	fmt.Fprintln(table, title)
	for i := range found {
		op := &found[i]
		members, path := strconv.FormatInt(op.Done, 10), client.Shown(op.Path)
		if op.Total != nil {
			members += fmt.Sprintf("/%d", *op.Total)
		}
		if op.Destination != "" {
			path += " to " + client.Shown(op.Destination)
		}
		if op.Stopping {
			path += " (stopping)"
		}
		if op.Node != "" {
			path += "\t" + client.Shown(op.Node)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", op.ID, op.Method, members,
			now.Sub(op.Started).Round(time.Second), cmp.Or(client.Shown(op.User), "-"), path)
	}
	return table.Flush()
}
