package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/quotas"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/sqlstate"
)

const quotaAbout = `
Shows how much of the quotas of a running davd is used. davd counts what it
writes itself. After other programs have changed a share, davd quota recount
counts what is there; davd serves the share meanwhile.

  davd quota list [SHARE]      the quotas of SHARE, such as /home/ann, or of all
  davd quota recount [SHARE]   count again

Only shares that somebody has used since davd was started are shown.`

func quotaCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "quota", arguments: "list|recount [SHARE]", about: quotaAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			action := c.Args().First()
			if action != "list" && action != "recount" {
				return usagef("davd quota has the actions list and recount, not %q: see davd quota --help", action)
			}
			err := withState(c.Context, cfg, "",
				func(client *control.Client) error {
					return showQuotas(c.Context, p, &quotas.Remote{Client: client}, action, c.Args().Get(1), asJSON)
				},
				func(*sqlstate.DB) error { return errors.New("no davd with this state is running") })
			if errors.Is(err, state.ErrInMemory) {
				return errors.New("a davd with --state mem takes no commands")
			}
			return err
		},
	}
}

func showQuotas(ctx context.Context, p *program, o quotas.Operator, action, share string, asJSON bool) error {
	show := o.List
	if action == "recount" {
		show = o.Recount
	}
	found, err := show(ctx, share)
	switch {
	case err != nil:
		return err
	case asJSON:
		return writeJSON(p.stdout, found)
	case len(found) == 0:
		_, err = fmt.Fprintln(p.stdout, "no quotas")
		return err
	}
	return writeQuotas(p.stdout, found)
}

func writeQuotas(w io.Writer, found []quotas.Quota) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SHARE\tUSED\tLIMIT\tLEFT\t")
	for i := range found {
		q := &found[i]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\n", client.Shown(q.Share), q.Used, q.Limit, q.Available, q.Error)
	}
	return table.Flush()
}
