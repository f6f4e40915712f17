package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// changedSettings has another value for each setting that can be in a file.
var changedSettings = map[string]string{
	"storage": "", "read-only": "true", "symlinks": "deny", "copy-links": "true", "umask": "077", "uid": "1", "gid": "1",
	"fsync": "close", "partial-put": "true", "quota-for-macs": "true", "latency": "1ms", "compress": "never",
	"addr": "127.0.0.1:1", "connections": "7", "connections-per-address": "7", "header-timeout": "7s", "host": "files.example", "prefix": "/dav", "trusted-proxy": "192.0.2.0/24",
	"tls-cert": "", "tls-key": "", "requests-per-address": "1000", "requests-per-user": "1000", "cors-origin": "https://app.example", "proxy-protocol": "192.0.2.0/24", "tls": "self-signed", "acme-domain": "", "acme-http": "", "acme-email": "", "acme-ca": "", "acme-ca-root": "", "htpasswd": "", "realm": "other", "admin": "ann", "anonymous": "",
	"state": "DIR/other", "node-name": "", "fence-command": "", "lock-timeout-min": "2s", "lock-timeout-max": "1h", "locks-per-user": "7", "locks-per-address": "7",
	"properties-per-user": "1MiB", "max-xml-body": "2MiB", "propfind-infinity": "deny", "listings-at-once": "7",
	"listings-per-user": "7", "operations-at-once": "7", "operations-per-user": "7", "uploads-at-once": "7", "uploads-per-user": "7", "max-upload-size": "7MiB", "upload-age": "7h", "on-disconnect": "cancel",
	"stall-timeout": "7s", "min-rate": "7B", "drain": "7s", "interim": "never", "interim-after": "7s", "interim-every": "7s",
	"interim-client": "x=7", "interim-proxy": "pass", "metrics-addr": "127.0.0.1:1", "pprof": "", "log-format": "json", "page": "off", "log-level": "debug",
}

// fixedSettings need a restart.
var fixedSettings = []string{"addr", "connections", "connections-per-address", "drain", "header-timeout", "latency", "locks-per-user", "log-format", "metrics-addr", "prefix", "proxy-protocol", "realm", "state", "tls"}

// TestReloadEachSetting changes each setting in turn. Either the configuration that davd has
// afterwards contains the new value, or davd says that it needs a restart and keeps the old one.
func TestReloadEachSetting(t *testing.T) {
	r := family(t)
	for _, s := range config.New(nil).Settings() {
		value, listed := changedSettings[s.Name]
		if s.Name == "config" || s.FlagOnly || listed && value == "" {
			continue // tested elsewhere
		}
		if !listed {
			t.Errorf("changedSettings lacks %s", s.Name)
		}
		head := familyHead
		for line := range strings.Lines(familyHead) {
			if strings.HasPrefix(line, s.Name+":") {
				head = strings.Replace(head, line, "", 1)
			}
		}
		r.write("davd.yaml", head+s.Name+": "+value+"\n"+familyFile)
		result, err := r.reload(t.Context())
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		fixed := slices.Contains(fixedSettings, s.Name)
		if slices.Contains(result.Restart, s.Name) != fixed || slices.Contains(result.Applied, s.Name) == fixed {
			t.Errorf("%s: applied %q, restart %q", s.Name, result.Applied, result.Restart)
		}
		effective := strings.Join(r.cfg.Setting(s.Name).Effective(), ",")
		if (effective == strings.ReplaceAll(value, "DIR", r.dir)) == fixed {
			t.Errorf("%s is %q after the reload", s.Name, effective)
		}
		r.write("davd.yaml", familyHead+familyFile)
		if _, err := r.reload(t.Context()); err != nil {
			t.Errorf("%s back: %v", s.Name, err)
		}
	}
	r.wants(http.StatusOK, "bob", "GET", "/photos/a.jpg")
}

// TestReloadSingle: the options of a single directory, which stays open, need a restart.
func TestReloadSingle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "davd.yaml")
	load := func(text string) *config.Config {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := config.New(nil)
		if err := cfg.LoadFile(file); err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	before, after := load("symlinks: inside\n"), load("symlinks: deny\numask: 077\nread-only: true\n")
	changes := config.Diff(before, after)
	if !slices.Equal(changes.Restart, []string{"symlinks", "umask"}) || !slices.Equal(changes.Applied, []string{"read-only"}) {
		t.Errorf("%+v", changes)
	}
	if err := after.KeepFixed(before); err != nil || after.Local.Links != before.Local.Links || after.Local.Umask != nil {
		t.Errorf("kept %+v, %v", after.Local, err)
	}
}

// TestReloadNotPublic: a reload can't take away the permission to serve everyone while davd does.
func TestReloadNotPublic(t *testing.T) {
	const shares = "shares: {/a: {mem: true}}\n"
	head := strings.Replace(familyHead, "127.0.0.1:0", "0.0.0.0:0", 1)
	r := serveFileWith(t, t.TempDir(), head+"anonymous: true\n"+shares)
	r.write("davd.yaml", head+shares)
	if _, err := r.reload(t.Context()); err == nil || !strings.Contains(err.Error(), "davd asks for no password") {
		t.Errorf("error %v", err)
	}
}

// TestChangedSecrets checks that davd notices a changed password file, also if another one was
// renamed to its name, and keeps the old one if the new one is damaged.
func TestChangedSecrets(t *testing.T) {
	r := family(t)
	r.write("hash", "HASH(bob)\n")
	// The passwords are those of bob at first, and then those of ann.
	bob, ann := strings.Trim(r.file("hash"), "'\n"), r.hashOf("ann")
	set := func(content string, rename bool) {
		t.Helper()
		name := filepath.Join(r.dir, "hash")
		if rename {
			name += ".new"
		}
		err := os.WriteFile(name, []byte(content+"\n"), 0o600)
		if err == nil && rename {
			err = os.Rename(name, filepath.Join(r.dir, "hash"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	set(bob, false)
	r.write("davd.yaml", familyHead+strings.Replace(familyFile, "bob: {password: HASH(bob)}", "bob: {password-file: DIR/hash}", 1))
	if _, err := r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := func(password string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/photos/a.jpg", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("bob", passwordOf(password))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	await := func(password string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); status(password) != http.StatusOK; time.Sleep(300 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the new password is refused")
			}
		}
	}
	await("bob")
	set(ann, false)
	await("ann")
	if got := status("bob"); got != http.StatusUnauthorized {
		t.Errorf("the old password: %d", got)
	}
	set(bob, true)
	await("bob")
	set("damaged", true)
	if err := r.rereadSecrets(t.Context()); err == nil {
		t.Error("a damaged hash is accepted")
	}
	await("bob")
}
