package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// peer is a server that can be measured.
type peer struct {
	name string
	// needs are the files that the peer needs, with their Debian packages.
	needs []need
	// configure writes what the peer needs into dir, and returns the command
	// that serves p's share at addr in the foreground.
	configure func(p *place, dir, addr string) ([]string, error)
	// front is configure for a reverse proxy before the server behind, which is at upstream.
	front   func(p *place, dir, addr, upstream string) ([]string, error)
	behind  *peer
	version func(ctx context.Context, p *place) (string, error)
	// extra says that the peer only takes part if -servers matches it.
	extra bool
	// remark explains a figure, below the table.
	remark string
}

// allPeers returns the peers in the order of the table's columns.
func allPeers() []*peer {
	return []*peer{apache(), nginx(), lighttpd(), rclone(), xnet(), davd(), davdInterim(), nginxProxy(), davdProxy()}
}

// server is a running peer.
type server struct {
	*peer
	*process
	addr  string
	about string // its version
	// upstream is the server behind a reverse proxy, or nil.
	upstream *server
}

func (s *server) stop() error {
	err := s.process.stop()
	if s.upstream != nil {
		err = errors.Join(err, s.upstream.stop())
	}
	return err
}

// startPeer starts a peer in its own directory.
func startPeer(ctx context.Context, p *place, peer *peer) (*server, error) {
	dir := filepath.Join(p.dir, "servers", strings.NewReplacer("/", "-", ", ", "-", " ", "-").Replace(peer.name))
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := p.mkdir(d); err != nil {
			return nil, err
		}
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{peer: peer, addr: addr}
	var argv []string
	if peer.behind == nil {
		argv, err = peer.configure(p, dir, addr)
	} else if s.upstream, err = startPeer(ctx, p, peer.behind.proxied(peer.name)); err == nil {
		argv, err = peer.front(p, dir, addr, s.upstream.addr)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", peer.name, err)
	}
	if s.about, err = peer.version(ctx, p); err != nil {
		return nil, fmt.Errorf("%s: %w", peer.name, err)
	}
	if s.process, err = start(p, peer.name, dir, argv); err != nil {
		return nil, err
	}
	if err := s.await(ctx, addr); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// restart stops a server, which may still be working on a request, and starts it again.
func (s *server) restart(ctx context.Context, p *place) error {
	if err := s.stop(); err != nil {
		logf("  %v", err)
	}
	again, err := startPeer(ctx, p, s.peer)
	if err != nil {
		return err
	}
	*s = *again
	return nil
}

// servers are the running servers. The empty handler is not a peer but a floor.
type servers struct {
	peers []*server
	empty *server
}

func startServers(ctx context.Context, p *place, peers []*peer) (*servers, error) {
	all := &servers{}
	for _, peer := range append(slices.Clone(peers), emptyHandler()) {
		s, err := startPeer(ctx, p, peer)
		if err != nil {
			return nil, errors.Join(err, all.stop())
		}
		if peer.name == emptyName {
			all.empty = s
		} else {
			all.peers = append(all.peers, s)
		}
	}
	return all, nil
}

func (s *servers) stop() error {
	var errs []error
	for _, one := range append(slices.Clone(s.peers), s.empty) {
		if one != nil {
			errs = append(errs, one.stop())
		}
	}
	return errors.Join(errs...)
}

// writeConfig writes a configuration file that belongs to the servers' user. Its content is
// template, with $dir, $share, $host and $port replaced, and more.
func writeConfig(p *place, dir, addr, template string, more ...string) (string, error) {
	host, port, _ := strings.Cut(addr, ":")
	name := filepath.Join(dir, "configuration")
	text := strings.NewReplacer(append([]string{"$dir", dir, "$share", p.share, "$host", host, "$port", port}, more...)...).Replace(template)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return "", err
	}
	return name, p.owner.give(name)
}

// printedVersion returns a function that runs a program and finds the version in its output,
// between the first slash and the next space.
func printedVersion(program string, args ...string) func(context.Context, *place) (string, error) {
	return func(ctx context.Context, _ *place) (string, error) {
		text, err := output(ctx, program, args...)
		if err != nil {
			return "", err
		}
		return afterSlash(text), nil
	}
}

func afterSlash(text string) string {
	_, version, _ := strings.Cut(text, "/")
	fields := strings.Fields(version)
	if len(fields) == 0 {
		return "?"
	}
	return fields[0]
}
