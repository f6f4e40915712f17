package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav/interim"
)

const clientsAbout = `
Prints the table of known clients. With --interim auto, davd serve sends interim
responses to these clients even if they don't ask for them. In every mode, the
table limits how many a client gets. davd finds a client by the product names in
its User-Agent header. If there are several, the one with the smallest CAP
counts.

  CLIENT    the product name
  VERSIONS  the versions that the row describes
  CAP       how many interim responses the client gets for one request; any
            means that no limit was found
  HEADERS   how many bytes of headers the client accepts for one request,
            interim responses included; davd stops at two thirds of this, and
            always at 200 KiB
  HELPS     whether an interim response restarts the client's read time-out
  SOURCE    where this was observed`

func clientsCommand(p *program) command {
	cfg := config.New(nil)
	var asJSON bool
	return command{
		name: "clients", about: clientsAbout,
		settings: flags(cfg.Setting("interim-client"), jsonFlag(&asJSON, "print JSON; a limit that was not found is null")),
		run: func(*cli.Context) error {
			if asJSON {
				return writeClientsJSON(p.stdout, cfg.Handler.Interim.KnownClients())
			}
			return writeClients(p.stdout, cfg.Handler.Interim.KnownClients())
		},
	}
}

func writeClients(w io.Writer, clients []interim.KnownClient) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLIENT\tVERSIONS\tCAP\tHEADERS\tHELPS\tSOURCE")
	for i := range clients {
		c := &clients[i]
		limit, headers := "any", "any"
		if c.Cap < interim.Unlimited {
			limit = strconv.Itoa(c.Cap)
		}
		if c.Bytes > 0 {
			headers = strconv.Itoa(c.Bytes>>10) + " KiB"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Product, versions(c), limit, headers, c.Helps, c.Source)
	}
	return table.Flush()
}

func versions(c *interim.KnownClient) string {
	switch {
	case c.From != "" && c.Before != "":
		return c.From + " to before " + c.Before
	case c.From != "":
		return "from " + c.From
	case c.Before != "":
		return "before " + c.Before
	}
	return "all"
}

// clientJSON is a row of the table in the output of --json.
type clientJSON struct {
	Client string `json:"client"`
	From   string `json:"from,omitempty"`
	Before string `json:"before,omitempty"`
	Cap    *int   `json:"cap"`
	// HeaderBytes is in bytes.
	HeaderBytes *int   `json:"header_bytes"`
	Helps       string `json:"helps"`
	Source      string `json:"source"`
}

func writeClientsJSON(w io.Writer, clients []interim.KnownClient) error {
	rows := make([]clientJSON, len(clients))
	for i := range clients {
		c := &clients[i]
		rows[i] = clientJSON{Client: c.Product, From: c.From, Before: c.Before, Helps: c.Helps.String(), Source: c.Source}
		if c.Cap < interim.Unlimited {
			rows[i].Cap = &c.Cap
		}
		if c.Bytes > 0 {
			rows[i].HeaderBytes = &c.Bytes
		}
	}
	return writeJSON(w, rows)
}
