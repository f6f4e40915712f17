package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage/access"
)

// write writes files into a new directory and returns its name.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const hash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" // of "secret"

func TestLoadShares(t *testing.T) {
	dir := write(t, map[string]string{
		"conf/davd.yaml": `
addr: [127.0.0.1:0, unix:run/davd.sock]
symlinks: deny
include: conf.d/*.yaml
shares:
  /photos: {dir: ../photos, quota: 1TiB, umask: 027, rights: {family: write, anyone: read}, paths: {/private: {ann: [list, read]}}}
  "/home/{user}": {dir: "../home/{user}", create: true, junk: hide, symlinks: follow}
  /scratch: {mem: true}
`,
		"conf/conf.d/users.yaml": "users:\n  ann: {password: " + hash + "}\n  bob: {password: " + hash + ", home: '/home/{user}', shares: {/pics: /photos}}\ngroups: {family: [ann]}\n",
		"photos/x":               "x",
	})
	c := config.New(nil)
	if err := c.LoadFile(filepath.Join(dir, "conf/davd.yaml")); err != nil {
		t.Fatal(err)
	}
	if got := c.Addrs[1].Address; got != filepath.Join(dir, "conf/run/davd.sock") {
		t.Errorf("the socket is %s", got)
	}
	home, photos, scratch := c.Shares[0], c.Shares[1], c.Shares[2]
	if home.Name != "/home/{user}" || !home.PerUser() || home.DirFor("ann") != filepath.Join(dir, "home/ann") || home.Links.String() != "follow" {
		t.Errorf("the home is %+v", home)
	}
	if photos.Dir != filepath.Join(dir, "photos") || photos.ID != "photos" || photos.Quota != 1<<40 || *photos.Umask != 0o27 || photos.Links.String() != "deny" {
		t.Errorf("the photos are %+v", photos)
	}
	if !scratch.Mem || scratch.Rules[0].Subject != access.Users() {
		t.Errorf("the scratch share is %+v", scratch)
	}
	want := []string{"group family", "anyone", "/private user ann"}
	for i, rule := range photos.Rules {
		if got := strings.TrimSpace(rule.Path + " " + rule.Subject.String()); got != want[i] {
			t.Errorf("rule %d is for %s, want %s", i, got, want[i])
		}
	}
	if ann, bob := c.Users[0], c.Users[1]; ann.Groups[0] != "family" || bob.Home != "/home/{user}" || bob.Views["/pics"] != "/photos" || bob.Hash != hash {
		t.Errorf("the users are %+v and %+v", ann, bob)
	}
}

// TestViewOf checks what users see.
func TestViewOf(t *testing.T) {
	dir := write(t, map[string]string{"davd.yaml": `
shares: {"/home/{user}": {mem: true}, /photos: {mem: true}}
home: "/home/{user}"
users:
  ann: {password: ` + hash + `}
  bob: {password: ` + hash + `, home: /photos, shares: {/me: "/home/{user}"}}
`})
	c := config.New(nil)
	if err := c.LoadFile(filepath.Join(dir, "davd.yaml")); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]string{"ann": "/home/ann map[]", "bob": "/photos map[/me:/home/bob]", "carol": "/home/carol map[]"} {
		home, shares := c.ViewOf(user)
		if got := fmt.Sprint(home, " ", shares); got != want {
			t.Errorf("%s sees %s, want %s", user, got, want)
		}
	}
}

// TestReload checks that a reload has the same command line and the new file.
func TestReload(t *testing.T) {
	dir := write(t, map[string]string{"davd.yaml": "log-level: warn\ndrain: 5s\nshares: {/s: {dir: s}}\n", "s/x": ""})
	name := filepath.Join(dir, "davd.yaml")
	c := config.New(nil)
	if err := c.Setting("drain").Set("7s"); err != nil {
		t.Fatal(err)
	}
	if err := c.LoadFile(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("log-level: error\ndrain: 6s\nshares: {/s: {dir: s}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	fresh, err := c.Reload()
	if err != nil {
		t.Fatal(err)
	}
	if c.LogLevel.String() != "WARN" || fresh.LogLevel.String() != "ERROR" || fresh.Drain.String() != "7s" {
		t.Errorf("before %v, then %v, %v", c.LogLevel, fresh.LogLevel, fresh.Drain)
	}
	if len(fresh.Warnings) != 1 || !strings.Contains(fresh.Warnings[0], "is missing") {
		t.Errorf("the warnings are %q", fresh.Warnings)
	}
}

// TestDefaultFilesOfSystemd checks that the directory that systemd names takes the place of /etc/davd.
func TestDefaultFilesOfSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CONFIGURATION_DIRECTORY", dir+":/other")
	if got := config.DefaultFiles(); got[0] != filepath.Join(dir, "davd.yaml") {
		t.Errorf("got %v", got)
	}
}
