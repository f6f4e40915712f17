package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const davdName = "davd"

func davd() *peer {
	return &peer{name: davdName, version: davdVersion, configure: davdWith("never")}
}

// davdInterim sends interim responses during every operation, beginning immediately.
func davdInterim() *peer {
	return &peer{
		name: "davd, 102", version: davdVersion, configure: davdWith("always"),
		remark: "davd, 102: with interim responses during every operation, immediately and then fifty per second; davd: with none",
	}
}

// davdAlone is a davd with additional flags, for a work that no other server does.
func davdAlone(flags []string) *peer {
	name := strings.Join(append([]string{davdName, "alone"}, flags...), " ")
	return &peer{name: name, version: davdVersion, configure: davdWith("never", flags...)}
}

func davdWith(interim string, more ...string) func(p *place, dir, addr string) ([]string, error) {
	return func(p *place, dir, addr string) ([]string, error) {
		state := filepath.Join(dir, "state")
		flags := []string{
			davdBinary(p), "serve", "--addr", addr, "--state", state, "--log-level", "error",
			"--interim", interim, "--interim-after", "0s", "--interim-every", "20ms",
		}
		return slices.Concat(flags, more, []string{p.share}), p.mkdir(state)
	}
}

func davdBinary(p *place) string { return filepath.Join(p.dir, "davd") }

// buildDavd builds davd, like make build, from the module of the current directory.
func buildDavd(ctx context.Context, p *place) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", davdBinary(p), "./cmd/davd") //nolint:gosec // davd
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	return p.owner.give(davdBinary(p))
}

// davdVersion returns the commit, with a plus if files have changed since.
func davdVersion(ctx context.Context, _ *place) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	version, err := output(ctx, "git", "-C", root, "-c", "safe.directory=*", "describe", "--always", "--dirty=+")
	if err != nil {
		return "(no commit)", nil //nolint:nilerr // an archive of the sources has none
	}
	return strings.TrimSpace(version), nil
}

func moduleRoot(ctx context.Context) (string, error) {
	dir, err := output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	return strings.TrimSpace(dir), err
}
