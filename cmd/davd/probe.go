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
Finds out whether interim responses from a davd get through the proxies on the
way, and says which settings to use. URL is a collection that you may write to;
nothing in it changes. The command fails if they don't get through.

With --method, it sends a request with that method instead, to any server, and
shows each interim response with its time. This is a real operation:

  davd probe --method COPY --source /a/ --destination /b/ https://files.example/
`

// probePatience is how long to wait for the answer after the probe should have ended.
const probePatience = 10 * time.Second

func probeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{
			Category: commandCategory, Name: "seconds", Value: 3,
			Usage: withPlaceholder("NUMBER", "how many seconds the server should take to answer the probe, from 1 to 20"),
		},
		&cli.StringFlag{Category: commandCategory, Name: "method", Usage: withPlaceholder("METHOD", "send a real request with this method")},
		&cli.StringFlag{Category: commandCategory, Name: "source", Usage: withPlaceholder("URL|/PATH", "send the request for this resource, in place of URL")},
		&cli.StringFlag{Category: commandCategory, Name: "destination", Usage: withPlaceholder("URL|/PATH", "the request's Destination header; nothing that exists there is replaced")},
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
		return usagef("--source and --destination have no effect without --method: add it")
	case seconds < 1 || seconds > 20:
		return usagef("--seconds: %d is not from 1 to 20", seconds)
	}
	if err := prober.Probe(c.Context, ref); err != nil {
		return fmt.Errorf("probe %s: %w", ref.Redacted(), err)
	}
	return nil
}

// watch sends the request of --method and shows its interim responses.
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
