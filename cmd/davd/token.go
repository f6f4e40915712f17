package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/apppassword"
	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/tokens"
)

//nolint:gosec // it contains no credentials
const tokenAbout = `
Adds, lists and revokes application passwords of the users of a davd. That davd
need not be running.

  davd token add USER NAME     add one and print it; it is not shown again
  davd token list [USER]       list those of USER, or all
  davd token revoke USER NAME  revoke one: davd refuses it from then on

An application password is used in place of the user's own password, with the
same user name. NAME says where it is used, such as phone. A user who is removed
can't use application passwords either.

  davd token add ann phone --expires 1y --read-only`

// tokenFlags are the flags of davd token.
type tokenFlags struct {
	json, readOnly bool
	expires        time.Duration
	dir            string
}

func tokenCommand(p *program) command {
	cfg, operator := operatorConfig()
	var f tokenFlags
	return command{
		name: "token", arguments: "add|list|revoke [USER] [NAME]", about: tokenAbout, check: checkToken,
		settings: flags(append(operator,
			&setting.Setting{Name: "expires", Takes: "TIME", FlagOnly: true, Into: setting.Value(&f.expires, lifetime), Help: "how long the application password is valid, such as 12h, 30d, 8w or 1y (default: until it is revoked)"},
			&setting.Setting{Name: "read-only", FlagOnly: true, Into: setting.Switch(&f.readOnly), Help: "the application password does not allow to change anything"},
			&setting.Setting{Name: "dir", Takes: "DIR", FlagOnly: true, Into: setting.Value(&f.dir, setting.Text), Help: "the directory that davd serves (default: the current one)"},
			jsonFlag(&f.json, "print JSON"))...),
		run: func(c *cli.Context) error {
			return withTokens(c.Context, p, cfg, f.dir, func(o apppassword.Operator) error {
				which := apppassword.Which{User: c.Args().Get(1), Name: c.Args().Get(2)}
				switch c.Args().First() {
				case "add":
					return addToken(c.Context, p, o, which, &f)
				case "revoke":
					return revokeToken(c.Context, p, o, which, &f)
				}
				return listTokens(c.Context, p, o, which, &f)
			})
		},
	}
}

// checkToken checks the arguments of davd token.
func checkToken(args []string) error {
	action := ""
	if len(args) > 0 {
		action = args[0]
	}
	switch {
	case action == "list" && len(args) <= 2, (action == "add" || action == "revoke") && len(args) == 3:
		return nil
	case action == "add", action == "revoke":
		return usagef("davd token %s takes USER NAME: see davd token --help", action)
	case action == "list":
		return usagef("davd token list takes [USER]: see davd token --help")
	}
	return usagef("davd token takes add, list or revoke: see davd token --help")
}

// lifetime parses a duration with the units of a calendar. A year has 365 days.
func lifetime(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	units := map[string]time.Duration{"h": time.Hour, "d": day, "w": 7 * day, "y": 365 * day}
	digits := strings.TrimRight(s, "hdwy")
	n, err := strconv.ParseInt(digits, 10, 32)
	unit := units[s[len(digits):]]
	if err != nil || n < 1 || unit == 0 || n > int64(100*365*day/unit) {
		return 0, fmt.Errorf("%q is not a lifetime: write a number of hours, days, weeks or years, such as 12h, 30d, 8w or 1y", s)
	}
	return time.Duration(n) * unit, nil
}

// withTokens calls do with the application passwords of the davd that serves dir. dir is ""
// if the operator did not name it.
func withTokens(ctx context.Context, p *program, cfg *config.Config, dir string, do func(apppassword.Operator) error) error {
	err := withState(ctx, cfg, dir,
		func(c *control.Client) error { return do(&apppassword.Remote{Client: c}) },
		func(db *sqlstate.DB) error {
			keyring, err := tokens.New(ctx, db)
			if err != nil {
				return err
			}
			return do(&apppassword.Manager{Keyring: keyring, Log: newLog(p.stderr, cfg)})
		})
	if errors.Is(err, state.ErrInMemory) {
		return errors.New("a davd with --state mem has no application passwords: name the --state that davd serve runs with")
	}
	return err
}

func addToken(ctx context.Context, p *program, o apppassword.Operator, which apppassword.Which, f *tokenFlags) error {
	add := apppassword.Add{User: which.User, Name: which.Name, ReadOnly: f.readOnly}
	if f.expires > 0 {
		add.Expires = time.Now().Add(f.expires)
	}
	added, err := o.Add(ctx, add)
	switch {
	case err != nil:
		return err
	case f.json:
		return writeJSON(p.stdout, added)
	}
	_, err = fmt.Fprintln(p.stdout, added.Password)
	return err
}

func revokeToken(ctx context.Context, p *program, o apppassword.Operator, which apppassword.Which, f *tokenFlags) error {
	revoked, err := o.Revoke(ctx, which)
	switch {
	case err != nil:
		return err
	case f.json:
		return writeJSON(p.stdout, revoked)
	}
	_, err = fmt.Fprintf(p.stdout, "revoked %s of %s\n", client.Shown(revoked.Name), client.Shown(revoked.User))
	return err
}

func listTokens(ctx context.Context, p *program, o apppassword.Operator, which apppassword.Which, f *tokenFlags) error {
	list, err := o.List(ctx, which)
	if err != nil {
		return err
	}
	return writeFound(p, list, f.json, "no application passwords", writeTokens)
}

func writeTokens(w io.Writer, list []apppassword.Token) error {
	now := time.Now()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tNAME\tALLOWS\tCREATED\tEXPIRES\tLAST USED")
	for i := range list {
		t := &list[i]
		allows, expires, used := "all", "never", "never"
		if t.ReadOnly {
			allows = "reading"
		}
		if t.Expires != nil {
			expires = t.Expires.Local().Format(time.DateOnly)
			if !now.Before(*t.Expires) {
				expires = "expired"
			}
		}
		if t.Used != nil {
			used = t.Used.Local().Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", client.Shown(t.User), client.Shown(t.Name), allows,
			t.Created.Local().Format(time.DateOnly), expires, used)
	}
	return table.Flush()
}
