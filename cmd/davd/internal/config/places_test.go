package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// TestPlaces checks that clients can't reach the configuration, and which directories must exist.
func TestPlaces(t *testing.T) {
	const users = "users: {ann: {password: " + hash + "}}\n"
	for _, tt := range []struct {
		name, text string
		// says is in the error, and warns in the only warning.
		says, warns string
	}{
		{"beside the configuration", "shares: {/a: {dir: data}}", "", ""},
		{"above the configuration", "shares: {/a: {dir: ..}}", "davd.yaml, which clients could read or change", ""},
		{"its own directory", "shares: {/a: {dir: .}}", "davd.yaml, which clients could read or change", ""},
		{"a link to it", "shares: {/a: {dir: link}}", "davd.yaml, which clients could read or change", ""},
		{"a key inside", "shares: {/a: {dir: data}}\ntls-cert: cert.pem\ntls-key: data/key.pem", "key.pem, which clients", ""},
		{"passwords inside", "shares: {/a: {dir: data}}\nhtpasswd: data/users", "users, which clients", ""},
		{"the state inside", "shares: {/a: {dir: data}}\nstate: data/state", "state, which clients", ""},
		{"an included file inside", "include: data/more.yaml\nshares: {/a: {dir: data}}", "data, which clients", ""},
		{"homes beside", users + `shares: {"/home/{user}": {dir: "home/{user}"}}`, "", ""},
		{"a home around the configuration", users + `shares: {"/home/{user}": {dir: "../{user}"}}`, "davd.yaml, which clients", ""},
		{"a deeper one beside", users + `shares: {"/home/{user}": {dir: "../{user}/data"}}`, "", ""},
		{"missing homes", users + `shares: {"/home/{user}": {dir: "homes/{user}"}}`, "homes: no such directory", ""},
		{"homes to create", users + `shares: {"/home/{user}": {dir: "homes/{user}", create: true}}`, "", ""},
		{"a part of a segment", users + `shares: {"/home/{user}": {dir: "home/x-{user}"}}`, "", ""},
		{"missing", "shares: {/a: {dir: none}}", "none: no such directory: create it, or write create: true", ""},
		{"not mounted", "shares: {/a: {dir: none, mounted: true}}", "", "none is missing: the share answers 503"},
		{"to create", "shares: {/a: {dir: none, create: true}}", "", ""},
		{"twice", "shares: {/a: {dir: data}, /b: {dir: data/}}", "", "the directory is also in the share /a"},
		{"in each other", "shares: {/a: {dir: data/below}, /b: {dir: data}}", "", "the directory is also in the share /b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, map[string]string{
				"conf/davd.yaml": tt.text, "conf/data/more.yaml": "", "conf/data/below/x": "", "conf/data/key.pem": "",
				"conf/home/ann/x": "", "conf/data/users": "ann:" + hash,
			})
			if err := os.Symlink(".", filepath.Join(dir, "conf", "link")); err != nil {
				t.Skip(err)
			}
			c := config.New(nil)
			err := c.LoadFile(filepath.Join(dir, "conf", "davd.yaml"))
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("got error %v, want %q", err, tt.says)
			}
			if got := strings.Join(c.Warnings, "\n"); tt.warns == "" && got != "" || !strings.Contains(got, tt.warns) {
				t.Errorf("got the warning %q, want %q", got, tt.warns)
			}
		})
	}
}

// TestFileInDirectory checks that the file is not in the directory of the command line.
func TestFileInDirectory(t *testing.T) {
	dir := write(t, map[string]string{"davd.yaml": "log-level: warn\n", "data/x": ""})
	for served, refused := range map[string]bool{"": true, "data": false} {
		c := config.New(nil)
		if err := c.Setting("config").Set(filepath.Join(dir, "davd.yaml")); err != nil {
			t.Fatal(err)
		}
		err := c.Load(filepath.Join(dir, served))
		if _, ok := errors.AsType[config.FileErrors](err); ok != refused {
			t.Errorf("%q: got error %v", served, err)
		}
	}
}

// TestLimits checks the limits on files.
func TestLimits(t *testing.T) {
	large := "shares: {/a: {mem: true}}\n#" + strings.Repeat("x", 1<<20)
	dir := write(t, map[string]string{"davd.yaml": large, "include.yaml": "include: '*.yml'\nshares: {/a: {mem: true}}\n"})
	if err := config.New(nil).LoadFile(filepath.Join(dir, "davd.yaml")); err == nil || !strings.HasSuffix(err.Error(), "davd.yaml: is larger than 1 MiB") {
		t.Errorf("got error %v", err)
	}
	if err := config.New(nil).LoadFile(dir); err == nil || !strings.HasSuffix(err.Error(), ": is not a regular file") {
		t.Errorf("got error %v", err)
	}
	for i := range 1001 {
		name := filepath.Join(dir, strings.Repeat("x", i%100+1)+string(rune('a'+i/100))+".yml")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := config.New(nil).LoadFile(filepath.Join(dir, "include.yaml")); err == nil || !strings.HasSuffix(err.Error(), "more than 1000 files are included") {
		t.Errorf("got error %v", err)
	}
}
