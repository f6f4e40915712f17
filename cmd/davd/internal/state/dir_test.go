package state

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultDir(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home") // absolute on every system
	for _, tt := range []struct {
		name string
		sys  system
		env  map[string]string
		home string
		want string
	}{
		{"root", system{goos: "linux", root: true}, map[string]string{"XDG_STATE_HOME": home}, home, "/var/lib/davd"},
		{"systemd", system{goos: "linux", root: true}, map[string]string{"STATE_DIRECTORY": home + ":/other"}, home, home},
		{"relative STATE_DIRECTORY", system{goos: "linux", root: true}, map[string]string{"STATE_DIRECTORY": "davd"}, home, "/var/lib/davd"},
		{"XDG_STATE_HOME", system{goos: "linux"}, map[string]string{"XDG_STATE_HOME": home}, "", filepath.Join(home, "davd")},
		{"relative XDG_STATE_HOME", system{goos: "linux"}, map[string]string{"XDG_STATE_HOME": "x"}, home, filepath.Join(home, ".local", "state", "davd")},
		{"home", system{goos: "freebsd"}, nil, home, filepath.Join(home, ".local", "state", "davd")},
		{"macOS", system{goos: "darwin"}, map[string]string{"XDG_STATE_HOME": "/x"}, home, filepath.Join(home, "Library", "Application Support", "davd")},
		{"Windows", system{goos: "windows"}, map[string]string{"LocalAppData": home}, "", filepath.Join(home, "davd")},
		{"Windows without", system{goos: "windows"}, nil, home, ""},
		{"homeless", system{goos: "linux"}, nil, "", ""},
		{"relative home", system{goos: "linux"}, nil, "x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.sys.getenv = func(name string) string { return tt.env[name] }
			tt.sys.home = func() (string, error) {
				if tt.home == "" {
					return "", errors.New("$HOME is not defined")
				}
				return tt.home, nil
			}
			got, err := defaultDir(tt.sys)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), "--state mem") {
				t.Errorf("no way out in %v", err)
			}
		})
	}
}

func TestDatabaseName(t *testing.T) {
	for dir, want := range map[string]string{
		"/srv/photos":                 "photos-",
		"/srv/my photos":              "my-photos-",
		"/srv/.config":                "config-",
		"/srv/...":                    "share-",
		"/":                           "share-",
		"/srv/Фото":                   "share-",
		"/" + strings.Repeat("x", 80): strings.Repeat("x", 64) + "-",
	} {
		got := databaseName(dir)
		if rest, ok := strings.CutPrefix(got, want); !ok || len(rest) != len("0123456789abcdef.db") {
			t.Errorf("%s is kept in %s", dir, got)
		}
	}
	if databaseName("/a/photos") == databaseName("/b/photos") {
		t.Error("two directories of one name have one database")
	}
}
