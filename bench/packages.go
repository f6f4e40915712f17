package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// need is a file, and the Debian package that contains it.
type need struct{ file, pkg string }

// needPackages checks that the packages for the selected peers and the place are installed. With
// -install it installs them.
func needPackages(ctx context.Context, o *options) error {
	missing := missingPackages(o)
	if len(missing) == 0 {
		return nil
	}
	command := aptInstall(missing)
	if !o.install {
		return fmt.Errorf("the peers need these Debian packages: %s\n  as root: apt-get update && %s\n  or use -install, which does that; or select other servers with -servers",
			strings.Join(missing, " "), strings.Join(command, " "))
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("-install: only root can run %s", strings.Join(command, " "))
	}
	for _, argv := range [][]string{{"apt-get", "-q", "-q", "update"}, command} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // apt-get
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
		}
	}
	if missing = missingPackages(o); len(missing) > 0 {
		return fmt.Errorf("still missing after %s: %s", strings.Join(command, " "), strings.Join(missing, " "))
	}
	fmt.Fprintln(os.Stderr, "bench: Debian starts nginx and lighttpd as services when it installs them, unless its policy-rc.d forbids that: stop them if you don't want them")
	return nil
}

func aptInstall(packages []string) []string {
	return append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, packages...)
}

// missingPackages returns the missing packages, sorted and without duplicates.
func missingPackages(o *options) []string {
	var needs []need
	for _, p := range o.peers() {
		needs = append(needs, p.needs...)
	}
	if o.dir == "" {
		needs = append(needs, need{"mkfs.ext4", "e2fsprogs"}, need{"mount", "mount"})
	}
	var missing []string
	for _, n := range needs {
		if !n.met() {
			missing = append(missing, n.pkg)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

func (n need) met() bool {
	if !strings.HasPrefix(n.file, "/") {
		_, err := lookPath(n.file)
		return err == nil
	}
	_, err := os.Stat(n.file)
	return err == nil
}
