package directory_test

import (
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/directory"
)

func ldap(change func(*config.LDAP)) *config.LDAP {
	l := &config.LDAP{
		Place: config.Place{File: "davd.yaml", Line: 3, Column: 1},
		URL:   &url.URL{Scheme: "ldaps", Host: "127.0.0.1"}, Base: "dc=example", Filter: "(uid={user})",
	}
	change(l)
	return l
}

// TestReopened checks that a directory is kept until something changes.
func TestReopened(t *testing.T) {
	dir := t.TempDir()
	certificate := func(name string) string {
		t.Helper()
		server := httptest.NewTLSServer(nil)
		defer server.Close()
		name = filepath.Join(dir, name)
		content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ca := certificate("ca.pem")
	log := slog.New(slog.DiscardHandler)
	var before *directory.Directory
	for _, tt := range []struct {
		what   string
		change func(*config.LDAP)
		same   bool
	}{
		{"the first", func(*config.LDAP) {}, false},
		{"the same", func(*config.LDAP) {}, true},
		{"the same at another place", func(l *config.LDAP) { l.Place.Line++ }, true},
		{"another host", func(l *config.LDAP) { l.URL.Host = "127.0.0.2" }, false},
		{"another password", func(l *config.LDAP) { l.BindDN, l.BindPassword = "cn=x", "y" }, false},
		{"with a CA", func(l *config.LDAP) { l.CA = ca }, false},
		{"the same CA", func(l *config.LDAP) { l.CA = ca }, true},
		{"with another content of the CA", func(l *config.LDAP) {
			content, err := os.ReadFile(ca)
			if err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(ca, append(content, content...), 0o600); err != nil {
				t.Error(err)
			}
			l.CA = ca
		}, false},
	} {
		d, err := directory.Open(ldap(tt.change), log, before)
		if err != nil || (d == before) != tt.same {
			t.Errorf("%s: kept %v, error %v", tt.what, d == before, err)
		}
		before = d
	}
}

func TestOpenBad(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*config.LDAP){
		"no such file":            func(l *config.LDAP) { l.CA = empty + "x" },
		"has no certificate in ":  func(l *config.LDAP) { l.CA = empty },
		"is not a filter":         func(l *config.LDAP) { l.Filter = "(uid={user}" },
		"is not the name of an e": func(l *config.LDAP) { l.Base = "example" },
	} {
		if _, err := directory.Open(ldap(change), nil, nil); err == nil || !strings.HasPrefix(err.Error(), "davd.yaml:3:1: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got error %v", says, err)
		}
	}
}
