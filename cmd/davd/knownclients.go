package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

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
	rows := [][]string{{"CLIENT", "VERSIONS", "CAP", "HEADERS", "HELPS", "SOURCE"}}
	for i := range clients {
		c := &clients[i]
		limit, headers := "any", "any"
		if c.Cap < interim.Unlimited {
			limit = strconv.Itoa(c.Cap)
		}
		if c.Bytes > 0 {
			headers = strconv.Itoa(c.Bytes>>10) + " KiB"
		}
		rows = append(rows, []string{c.Product, versions(c), limit, headers, c.Helps.String(), c.Source})
	}
	return writeTable(w, rows)
}

// writeTable writes rows with aligned columns. The last column is wrapped, so that the table fits
// a terminal.
func writeTable(w io.Writer, rows [][]string) error {
	last := len(rows[0]) - 1
	widths := make([]int, last)
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var table strings.Builder
	for _, row := range rows {
		var first strings.Builder
		for i, width := range widths {
			fmt.Fprintf(&first, "%-*s  ", width, row[i])
		}
		indent := utf8.RuneCountInString(first.String())
		lines := wrap(row[last], helpWidth-indent)
		table.WriteString(first.String() + strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n")
	}
	_, err := io.WriteString(w, table.String())
	return err
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
