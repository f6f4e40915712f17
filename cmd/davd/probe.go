package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/client/probe"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

const probeAbout = `
Finds out whether interim responses from a davd get through the proxies on the
way, and says which settings to use. URL is a collection that you may write to;
nothing in it changes. The command fails if they don't get through.

With --method, it sends a request with that method instead, to any server, and
shows each interim response with its time. This is a real operation:

  davd probe --method COPY --source /a/ --destination /b/ https://files.example/`

// probePatience is how long to wait for the answer after the probe should have ended.
const probePatience = 10 * time.Second

type probeOptions struct {
	seconds                     int
	method, source, destination string
}

func probeCommand(p *program, clients *clientOptions) command {
	o := &clients.probe
	return command{
		name: "probe", arguments: "URL", about: probeAbout,
		settings: flags(
			&setting.Setting{
				Name: "seconds", Takes: "NUMBER", Default: "3", FlagOnly: true, Into: setting.Value(&o.seconds, parseSeconds),
				Help: "how many seconds the server should take to answer the probe, from 1 to 20",
			},
			&setting.Setting{Name: "method", Takes: "METHOD", FlagOnly: true, Into: setting.Value(&o.method, setting.Text), Help: "send a real request with this method"},
			&setting.Setting{Name: "source", Takes: "URL|/PATH", FlagOnly: true, Into: setting.Value(&o.source, setting.Text), Help: "send the request for this resource, in place of URL"},
			&setting.Setting{Name: "destination", Takes: "URL|/PATH", FlagOnly: true, Into: setting.Value(&o.destination, setting.Text), Help: "the request's Destination header; nothing that exists there is replaced"},
		),
		run: inSession(p, clients, parseTarget, func(ctx context.Context, s *client.Session, t target) error { return runProbe(ctx, s, t.url, o) }),
	}
}

func parseSeconds(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 20 {
		return 0, fmt.Errorf("%s is not from 1 to 20", s)
	}
	return n, nil
}

func runProbe(ctx context.Context, s *client.Session, ref *url.URL, o *probeOptions) error {
	prober := &probe.Prober{Client: s.Client, Out: s.Out, Seconds: o.seconds, Patience: probePatience}
	switch {
	case o.method != "":
		return watch(ctx, s, prober, ref, o)
	case o.source != "", o.destination != "":
		return usagef("--source and --destination have no effect without --method: add it")
	}
	if err := prober.Probe(ctx, ref); err != nil {
		return fmt.Errorf("probe %s: %w", ref.Redacted(), err)
	}
	return nil
}

// watch sends the request of --method and shows its interim responses.
func watch(ctx context.Context, s *client.Session, prober *probe.Prober, ref *url.URL, o *probeOptions) error {
	source, err := parseSecond(ref, cmp.Or(o.source, ref.String()))
	if err != nil {
		return err
	}
	var destination *url.URL
	if o.destination != "" {
		if destination, err = parseSecond(ref, o.destination); err != nil {
			return err
		}
	}
	what := o.method + " " + source.Redacted()
	return s.Failed(what, prober.Watch(ctx, o.method, source, destination))
}
