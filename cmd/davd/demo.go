package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/demo"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/state"
)

const demoAbout = `
Serves a tree of a thousand members in memory, on artificially slow storage.
Prints three commands to try, and each interim response that davd sends.`

func demoCommand(p *program) command {
	cfg := config.New(config.Defaults{
		"anonymous":     "true",
		"storage":       string(config.Mem),
		"latency":       demo.Latency.String(),
		"interim-after": "1s",
		"interim-every": "1s",
		"drain":         "1s", // no operation here is worth a longer wait
		"log-level":     "warn",
	})
	addr := cfg.Setting("addr")
	addr.Help = "listen at this host:port; port 0 is any free port"
	return command{
		name: "demo", about: demoAbout,
		settings: []*setting.Setting{addr, cfg.Setting("host")},
		check: func(args []string) error {
			if len(args) > 0 {
				return usagef("davd demo has its own tree: leave out %s, or serve it with davd serve", args[0])
			}
			return nil
		},
		run: func(c *cli.Context) error { return runDemo(c.Context, p, cfg) },
	}
}

func runDemo(ctx context.Context, p *program, cfg *config.Config) error {
	if err := cfg.Read(""); err != nil {
		return err
	}
	for _, addr := range cfg.Addrs {
		if addr.Network != "tcp" {
			return usagef("--addr: the commands to try can't use %s: write host:port", addr)
		}
	}
	fsys, err := demo.NewStorage()
	if err != nil {
		return fmt.Errorf("the tree can't be created (%w): this is a bug in davd", err)
	}
	log, level := newLogAt(p.stderr, cfg)
	kept, err := state.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	screen := &demo.Screen{Out: p.stdout}
	s := &site{
		frontage: frontage{cfg: cfg, log: log, done: screen.Final},
		fsys:     fsys, state: kept, sent: screen.Interim, level: level,
		ready: func(listeners []*server.Listener) {
			screen.Guide(listeners[0].Where(false, "/"))
			warnPublic(log, cfg, false, listeners)
		},
	}
	return s.serve(ctx)
}
