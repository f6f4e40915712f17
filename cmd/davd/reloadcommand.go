package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/reload"
)

const reloadAbout = `
Makes a running davd read its configuration file, certificate and passwords
again, as the signal HUP does. It prints what has changed. No connection and no
operation is interrupted. If something in the file is invalid, davd goes on with
the configuration that it has, and this command fails.

  davd reload --config /etc/davd/davd.yaml`

func reloadCommand(p *program) command {
	cfg, settings := operatorConfig()
	var asJSON bool
	return command{
		name: "reload", arguments: "[DIR]", about: reloadAbout,
		settings: flags(append(settings, jsonFlag(&asJSON, "print JSON"))...),
		run: func(c *cli.Context) error {
			err := withRunning(c.Context, cfg, c.Args().First(),
				func(running *control.Client) error { return reloadRemote(c.Context, p, running, asJSON) })
			if errors.Is(err, errNoCommands) {
				return fmt.Errorf("%w: send it the signal HUP", err)
			}
			return err
		},
	}
}

func reloadRemote(ctx context.Context, p *program, client *control.Client, asJSON bool) error {
	result, err := reload.Remote(ctx, client)
	switch {
	case err != nil:
		return err
	case asJSON:
		return writeJSON(p.stdout, result)
	}
	return writeReload(p.stdout, &result)
}

func writeReload(w io.Writer, result *reload.Result) error {
	lines := []string{"nothing has changed"}
	if result.File == "" {
		lines[0] = "certificates and passwords were read again; there is no configuration file"
	} else if len(result.Applied) > 0 {
		lines[0] = "changed: " + strings.Join(result.Applied, ", ")
	}
	if len(result.Restart) > 0 {
		lines = append(lines, "needs a restart: "+strings.Join(result.Restart, ", "))
	}
	for _, warning := range result.Warnings {
		lines = append(lines, "warning: "+warning)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
