package config_test

import (
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav"
)

func TestState(t *testing.T) {
	for _, tt := range []struct {
		storage, state string
		want           config.State
	}{
		{"dir", "", config.State{}},
		{"dir", "mem", config.State{Memory: true}},
		{"mem", "", config.State{Memory: true}},
		{"mem", "mem", config.State{Memory: true}},
		{"dir", "./mem", config.State{Dir: "./mem"}},
		{"dir", "/srv/state", config.State{Dir: "/srv/state"}},
		{"dir", `C:\state`, config.State{Dir: `C:\state`}},
		{"dir", "a:b", config.State{Dir: "a:b"}},
		{"dir", "/srv/state.db", config.State{File: "/srv/state.db"}},
		{"dir", "state.sqlite", config.State{File: "state.sqlite"}},
		{"dir", "sqlite:state", config.State{File: "state"}},
		{"dir", "sqlite:///srv/state", config.State{File: "/srv/state"}},
		{"dir", "postgres://davd@db/davd", config.State{URL: "postgres://davd@db/davd"}},
		{"dir", "postgresql:///davd?host=/run/postgresql", config.State{URL: "postgresql:///davd?host=/run/postgresql"}},
	} {
		c, err := read(given{"storage": tt.storage, "state": tt.state})
		if err != nil {
			t.Errorf("%s, %q: %v", tt.storage, tt.state, err)
		} else if c.State != tt.want {
			t.Errorf("%s, %q: got %+v, want %+v", tt.storage, tt.state, c.State, tt.want)
		}
	}
}

// TestStateShown checks that passwords are not shown, and that a password in the URL is noticed.
func TestStateShown(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://davd@db:5432/davd?sslmode=require":             "postgres://davd@db:5432/davd?sslmode=require",
		"postgres://davd:s3cret@db/davd":                           "postgres://davd@db/davd",
		"postgres://davd@db/davd?password=s3cret&sslmode=disable":  "postgres://davd@db/davd?sslmode=disable",
		"postgres://davd@db/davd?sslpassword=s3cret&sslcert=c.pem": "postgres://davd@db/davd?sslcert=c.pem",
	} {
		state := config.State{URL: url}
		if got := state.Shown(); got != want || state.HasPassword() != (url != want) {
			t.Errorf("%s is shown as %s, has a password: %v", url, got, state.HasPassword())
		}
	}
}

func TestLockTimeouts(t *testing.T) {
	for _, tt := range []struct {
		shortest, longest string
		want              dav.LockTimeouts
	}{
		{"", "", dav.LockTimeouts{Min: time.Second, Max: 24 * time.Hour}},
		{"", "10m", dav.LockTimeouts{Min: time.Second, Max: 10 * time.Minute}},
		{"2h", "", dav.LockTimeouts{Min: 2 * time.Hour, Max: 24 * time.Hour}},
		{"1s", "1s", dav.LockTimeouts{Min: time.Second, Max: time.Second}},
		{"", "infinite", dav.LockTimeouts{Min: time.Second, Max: -1}},
	} {
		c, err := read(given{"lock-timeout-min": tt.shortest, "lock-timeout-max": tt.longest})
		if err != nil {
			t.Errorf("%q to %q: %v", tt.shortest, tt.longest, err)
		} else if c.Handler.LockTimeouts != tt.want {
			t.Errorf("%q to %q: got %+v, want %+v", tt.shortest, tt.longest, c.Handler.LockTimeouts, tt.want)
		}
	}
}

func TestMaxXML(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "512": 512, "64B": 64, "512KiB": 512 << 10, "2MiB": 2 << 20, "3GiB": 3 << 30,
	} {
		if c, err := read(given{"max-xml-body": text}); err != nil || c.Handler.MaxXML != want {
			t.Errorf("%s is %+v, error %v", text, c, err)
		}
	}
}
