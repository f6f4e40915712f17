package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// system describes the parts of the system that the default directory depends on.
type system struct {
	goos   string
	root   bool
	getenv func(string) string
	home   func() (string, error)
}

// DefaultDir returns the directory for the state if the operator names none. It may be missing.
func DefaultDir() (string, error) {
	return defaultDir(system{runtime.GOOS, os.Geteuid() == 0, os.Getenv, os.UserHomeDir})
}

var errNoPlace = errors.New("there is no place for locks and properties, because the user has no home directory: name a directory with --state, or keep them in memory with --state mem")

// defaultDir returns the system's usual directory for the state of programs: /var/lib for
// root, and for other users that of the XDG Base Directory Specification or its equivalent. systemd
// can name another one, which it creates (StateDirectory= in systemd.exec).
func defaultDir(s system) (string, error) {
	if dir, _, _ := strings.Cut(s.getenv("STATE_DIRECTORY"), ":"); s.goos != "windows" && filepath.IsAbs(dir) {
		return dir, nil
	}
	if s.root {
		return "/var/lib/davd", nil
	}
	if s.goos == "windows" {
		if data := s.getenv("LocalAppData"); data != "" {
			return filepath.Join(data, "davd"), nil
		}
		return "", errNoPlace
	}
	if home := s.getenv("XDG_STATE_HOME"); s.goos != "darwin" && filepath.IsAbs(home) {
		return filepath.Join(home, "davd"), nil
	}
	home, err := s.home()
	if err != nil || !filepath.IsAbs(home) {
		return "", errNoPlace
	}
	if s.goos == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "davd"), nil
	}
	return filepath.Join(home, ".local", "state", "davd"), nil
}
