package main

import (
	"context"
	"net/url"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
)

type transferFunc func(s *client.Session, ctx context.Context, src, dst *url.URL, force bool) error

func runTransfer(p *program, c *cli.Context, args []string, transfer transferFunc) error {
	src, err := parseURL(args[0])
	if err != nil {
		return err
	}
	dst, err := parseSecond(src, args[1])
	if err != nil {
		return err
	}
	s, err := p.connect(c, src)
	if err != nil {
		return err
	}
	return transfer(s, c.Context, src, dst, c.Bool("force"))
}
