package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/net/webdav"
)

const emptyName = "empty handler"

func xnet() *peer {
	return &peer{
		name: "x/net",
		configure: func(p *place, _, addr string) ([]string, error) {
			return []string{selfBinary(p), asXNet, p.share, addr}, nil
		},
		version: func(context.Context, *place) (string, error) { return moduleVersion("golang.org/x/net"), nil },
	}
}

// emptyHandler is a server that shows the cost of net/http alone.
func emptyHandler() *peer {
	return &peer{
		name: emptyName,
		configure: func(p *place, _, addr string) ([]string, error) {
			return []string{selfBinary(p), asEmpty, addr}, nil
		},
		version: func(context.Context, *place) (string, error) { return "", nil },
	}
}

func serveXNet(ctx context.Context, dir, addr string) error {
	return serveHTTP(ctx, addr, &webdav.Handler{FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()})
}

func serveEmpty(ctx context.Context, addr string) error {
	return serveHTTP(ctx, addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// serveHTTP serves until ctx ends.
func serveHTTP(ctx context.Context, addr string, h http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Minute}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// moduleVersion returns the version of a module that this program was built with.
func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return "?"
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "?"
}

// installSelf copies this program to a place where the servers' user can run it.
func installSelf(p *place) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	if err := os.WriteFile(selfBinary(p), content, 0o700); err != nil { //nolint:gosec // a program
		return err
	}
	return p.owner.give(selfBinary(p))
}

func selfBinary(p *place) string { return p.dir + "/bench" }
