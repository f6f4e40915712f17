package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client/terminal"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/demo"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
)

const demoAbout = `
Serves a tree of a thousand members in memory, on artificially slow storage.
Shows a client that gives up on a long copy, and how interim responses keep it
waiting. Then prints three commands to try, and each interim response that davd
sends.`

// demoPatience is how long the client of the demonstration waits for a response.
const demoPatience = 5 * time.Second

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
	never, stop, err := serveSilently(ctx, latency.New(fsys, cfg.Latency))
	if err != nil {
		return err
	}
	defer stop()
	screen := &demo.Screen{Out: p.stdout, Colour: terminal.Colours(p.stdout)}
	var story sync.WaitGroup
	defer story.Wait()
	s := &site{
		frontage: frontage{cfg: cfg, log: log, done: screen.Final},
		fsys:     fsys, state: kept, out: p.stdout, sent: screen.Interim, level: level,
		ready: func(listeners []*server.Listener) {
			root := listeners[0].Where(false, "/")
			screen.Title(root)
			warnPublic(log, cfg, false, listeners)
			story.Go(func() {
				(&demo.Story{Screen: screen, Never: never, Usual: strings.TrimSuffix(root, "/"), Patience: demoPatience}).Tell(ctx)
				if ctx.Err() == nil {
					screen.Guide(root)
				}
			})
		},
	}
	return s.serve(ctx)
}

// serveSilently serves fsys at a free port of this machine, without interim responses. It
// returns the URL and a function that ends it.
func serveSilently(ctx context.Context, fsys storage.FS) (root string, stop func(), err error) {
	handler := &dav.Handler{FileSystem: fsys, CancelWhenGone: true, Interim: interim.Policy{Mode: interim.Never}}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: demoPatience}
	go srv.Serve(listener) //nolint:errcheck // it ends with stop
	return "http://" + listener.Addr().String(), func() {
		ended, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel() // running copies are rolled back
		_ = handler.Shutdown(ended)
		_ = srv.Close()
	}, nil
}
