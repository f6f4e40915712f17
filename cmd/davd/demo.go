package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/demo"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
)

const (
	demoUsage = "davd demo [flags]"
	demoAbout = `
Serves a tree of a thousand members in memory, on artificially slow storage.
Prints three commands to try, and each interim response that davd sends.`
)

func (p *program) demoCommand() *cli.Command {
	flags := []cli.Flag{addrFlag("listen at this host:port; port 0 is any free port"), hostFlag()}
	return &cli.Command{
		Name:               "demo",
		Flags:              flags,
		CustomHelpTemplate: literal(commandHelp(demoUsage, demoAbout, flags)),
		HideHelpCommand:    true,
		OnUsageError:       flagError,
		Action:             p.demo,
	}
}

func (p *program) demo(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("davd demo has its own tree: leave out %s, or serve it with davd serve", c.Args().First())
	}
	cfg, err := config.New(config.Settings{
		Addrs:        c.StringSlice("addr"),
		Hosts:        c.StringSlice("host"),
		Anonymous:    true,
		Storage:      string(config.Mem),
		Latency:      demo.Latency.String(),
		InterimAfter: "1s",
		InterimEvery: "1s",
		LogLevel:     "warn",
	})
	if err != nil {
		return p.settingError(err)
	}
	for _, addr := range cfg.Addrs {
		if addr.Network != "tcp" {
			return usagef("--addr: the commands to try can't use %s: write host:port", addr)
		}
	}
	fsys, err := demo.NewStorage(c.Context)
	if err != nil {
		return fmt.Errorf("the tree can't be created (%w): this is a bug in davd", err)
	}
	log := newLog(p.stderr, cfg)
	kept, err := state.Open(c.Context, cfg, log)
	if err != nil {
		return err
	}
	screen := &demo.Screen{Out: p.stdout}
	s := &site{
		cfg: cfg, fsys: fsys, state: kept, log: log,
		grace: time.Second, // no operation here is worth a longer wait
		sent:  screen.Interim,
		done:  screen.Final,
		ready: func(listeners []*server.Listener) {
			screen.Guide(listeners[0].Where(false, "/"))
			warnPublic(log, cfg, listeners)
		},
	}
	return s.serve(c.Context)
}
