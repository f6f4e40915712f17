package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/quotas"
)

const quotaAbout = `
Shows how much of the quotas of a running davd is used. davd counts what it
writes itself. After other programs have changed a share, davd quota recount
counts what is there; davd serves the share meanwhile.

  davd quota list [SHARE]      the quotas of SHARE, such as /home/ann, or of all
  davd quota recount [SHARE]   count again

Only shares that were used since davd was started are shown: those with a quota,
and those with objects, whose usage the database knows.`

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
			return withRunning(c.Context, cfg, "", func(running *control.Client) error {
				return showQuotas(c.Context, p, &quotas.Remote{Client: running}, action, c.Args().Get(1), asJSON)
			})
		},
	}
}

func showQuotas(ctx context.Context, p *program, o quotas.Operator, action, share string, asJSON bool) error {
	show := o.List
	if action == "recount" {
		show = o.Recount
	}
	found, err := show(ctx, share)
	if err != nil {
		return err
	}
	return writeFound(p, found, asJSON, "no quotas", writeQuotas)
}

// writeQuotas writes a table with numbers in units of 1024, as a configuration file has them. The
// exact numbers are in the JSON.
func writeQuotas(w io.Writer, found []quotas.Quota) error {
	rows := [][5]string{{"SHARE", "USED", "LIMIT", "LEFT"}}
	for i := range found {
		q := &found[i]
		rows = append(rows, [5]string{client.Shown(q.Share), binarySize(q.Used), limitSize(q.Limit), binarySize(q.Available), q.Error})
	}
	var width [4]int
	for _, row := range rows {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	var table strings.Builder
	for _, row := range rows {
		line := fmt.Sprintf("%-*s  %*s  %*s  %*s  %s", width[0], row[0], width[1], row[1], width[2], row[2], width[3], row[3], row[4])
		table.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, table.String())
	return err
}

// limitSize returns a limit as binarySize does, or "-" without one.
func limitSize(limit int64) string {
	if limit <= 0 {
		return "-"
	}
	return binarySize(limit)
}

// binarySize returns a number of bytes with at most one decimal place, or "-" for a negative one.
func binarySize(n int64) string {
	if n < 0 {
		return "-"
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(n), 0
	for value >= 1023.95 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', min(unit, 1), 64), ".0") + " " + units[unit]
}
