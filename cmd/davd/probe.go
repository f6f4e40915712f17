package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/client/probe"
)

const probeAbout = `
Finds out what becomes of interim responses on their way from a davd, through
whatever stands between, and which settings to use. URL is a collection that you
may write to; nothing is changed in it. It fails where they do not pass.

With --method it sends that request instead, to any server, and shows each
interim response with its time. That is a real operation:

  davd probe --method COPY --source /a/ --destination /b/ https://files.example/
`

// probePatience is how much longer than the probe an answer may take.
const probePatience = 10 * time.Second

func probeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{
			Category: commandCategory, Name: "seconds", Value: 3,
			Usage: withPlaceholder("NUMBER", "how long the server is to take, from 1 to 20"),
		},
		&cli.StringFlag{Category: commandCategory, Name: "method", Usage: withPlaceholder("METHOD", "send a request with this method")},
		&cli.StringFlag{Category: commandCategory, Name: "source", Usage: withPlaceholder("URL|/PATH", "what it is about, if not URL")},
		&cli.StringFlag{Category: commandCategory, Name: "destination", Usage: withPlaceholder("URL|/PATH", "its header Destination; nothing there is replaced")},
	}
}

func runProbe(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	seconds, method := c.Int("seconds"), c.String("method")
	prober := &probe.Prober{Client: s.Client, Out: p.stdout, Seconds: seconds, Patience: probePatience}
	switch {
	case method != "":
		return watch(c, s, prober, ref, method)
	case c.IsSet("source"), c.IsSet("destination"):
		return usagef("--source and --destination are for --method: write that, too")
	case seconds < 1 || seconds > 20:
		return usagef("--seconds: %d is not from 1 to 20", seconds)
	}
	if err := prober.Probe(c.Context, ref); err != nil {
		return fmt.Errorf("probe %s: %w", ref.Redacted(), err)
	}
	return nil
}

// watch sends a real request.
func watch(c *cli.Context, s *client.Session, prober *probe.Prober, ref *url.URL, method string) error {
	source := ref
	var destination *url.URL
	var err error
	if arg := c.String("source"); arg != "" {
		if source, err = parseSecond(ref, arg); err != nil {
			return err
		}
	}
	if arg := c.String("destination"); arg != "" {
		if destination, err = parseSecond(ref, arg); err != nil {
			return err
		}
	}
	what := method + " " + source.Redacted()
	return s.Failed(what, prober.Watch(c.Context, method, source, destination))
}
