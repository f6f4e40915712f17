package config_test

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav"
)

func TestNewOfNothing(t *testing.T) {
	want := &config.Config{
		Storage:      config.Dir,
		Dir:          ".",
		Addrs:        []config.Addr{{Network: "tcp", Address: "127.0.0.1:8080"}},
		Realm:        "davd",
		LockTimeouts: dav.LockTimeouts{Min: time.Second, Max: 24 * time.Hour, Default: time.Hour},
		LocksPerUser: 10_000,
		MaxXML:       1 << 20,
		OnDisconnect: config.Finish,
		Drain:        10 * time.Second,
		InterimMode:  dav.InterimAuto,
		InterimAfter: 20 * time.Second,
		InterimEvery: 20 * time.Second,
		LogFormat:    config.Text,
		LogLevel:     slog.LevelInfo,
	}
	for name, settings := range map[string]config.Settings{
		"nothing":   {},
		"empty":     {Addrs: []string{""}},
		"defaults":  config.Defaults(),
		"root":      {Prefix: "/"},
		"the slash": {Prefix: "//"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.New(settings)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestNewGood(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings config.Settings
		got      func(c *config.Config) any
		want     any
	}{
		{
			"addresses",
			config.Settings{Addrs: []string{"localhost:0", "unix:run/s.sock", "[::1]:443", ":80"}},
			func(c *config.Config) any { return c.Addrs },
			[]config.Addr{{"tcp", "localhost:0"}, {"unix", "run/s.sock"}, {"tcp", "[::1]:443"}, {"tcp", ":80"}},
		},
		{"directory", config.Settings{Dir: "/srv"}, func(c *config.Config) any { return c.Dir }, "/srv"},
		{"memory", config.Settings{Storage: "mem"}, func(c *config.Config) any { return c.Storage }, config.Mem},
		{"memory has no directory", config.Settings{Storage: "mem"}, func(c *config.Config) any { return c.Dir }, ""},
		{"prefix", config.Settings{Prefix: "/a/b"}, func(c *config.Config) any { return c.Prefix }, "/a/b"},
		{"trailing slash", config.Settings{Prefix: "/a/b/"}, func(c *config.Config) any { return c.Prefix }, "/a/b"},
		{"read-only", config.Settings{ReadOnly: true}, func(c *config.Config) any { return c.ReadOnly }, true},
		{"latency", config.Settings{Latency: "2ms"}, func(c *config.Config) any { return c.Latency }, 2 * time.Millisecond},
		{"users", config.Settings{HTPasswd: "users"}, func(c *config.Config) any { return c.HTPasswd }, "users"},
		{"realm", config.Settings{Realm: "our files"}, func(c *config.Config) any { return c.Realm }, "our files"},
		{"anonymous", config.Settings{Anonymous: true}, func(c *config.Config) any { return c.Anonymous }, true},
		{"locks", config.Settings{LocksPerUser: "3"}, func(c *config.Config) any { return c.LocksPerUser }, 3},
		{"on disconnect", config.Settings{OnDisconnect: "cancel"}, func(c *config.Config) any { return c.OnDisconnect }, config.Cancel},
		{"drain", config.Settings{Drain: "0s"}, func(c *config.Config) any { return c.Drain }, time.Duration(0)},
		{
			"interim",
			config.Settings{Interim: "always", InterimAfter: "1s", InterimEvery: "100ms"},
			func(c *config.Config) any { i := c.Interim(); return []any{i.Mode, i.After, i.Every} },
			[]any{dav.InterimAlways, time.Second, 100 * time.Millisecond},
		},
		{
			"interim at once",
			config.Settings{InterimAfter: "0s"},
			func(c *config.Config) any { return c.Interim().After < 0 },
			true,
		},
		{
			"TLS",
			config.Settings{TLSCert: "c", TLSKey: "k"},
			func(c *config.Config) any { return c.TLS() && c.TLSCert == "c" && c.TLSKey == "k" },
			true,
		},
		{"no TLS", config.Settings{}, func(c *config.Config) any { return c.TLS() }, false},
		{"log format", config.Settings{LogFormat: "json"}, func(c *config.Config) any { return c.LogFormat }, config.JSON},
		{"log level", config.Settings{LogLevel: "warn"}, func(c *config.Config) any { return c.LogLevel }, slog.LevelWarn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.New(tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(c); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNewBad(t *testing.T) {
	for _, tt := range []struct {
		settings config.Settings
		setting  string
		says     string
	}{
		{config.Settings{Addrs: []string{"8080"}}, "addr", `"8080" is not an address`},
		{config.Settings{Addrs: []string{":8080", "::1:80"}}, "addr", `"::1:80" is not an address`},
		{config.Settings{Addrs: []string{"localhost:http"}}, "addr", `"localhost:http" has no port`},
		{config.Settings{Addrs: []string{"localhost:65536"}}, "addr", `"localhost:65536" has no port`},
		{config.Settings{Addrs: []string{"localhost:-1"}}, "addr", `"localhost:-1" has no port`},
		{config.Settings{Addrs: []string{"unix:"}}, "addr", `"unix:" has no path`},
		{config.Settings{Prefix: "a"}, "prefix", "write /a"},
		{config.Settings{Prefix: "/a//b/"}, "prefix", "write /a/b"},
		{config.Settings{Prefix: "/a/../b"}, "prefix", "write /b"},
		{config.Settings{Storage: "tape"}, "storage", `there is no "tape": write dir or mem`},
		{config.Settings{Storage: "mem", Dir: "/srv"}, "storage", "leave out /srv"},
		{config.Settings{Latency: "2"}, "latency", `"2" is not a duration`},
		{config.Settings{Latency: "-2s"}, "latency", `"-2s" is less than nothing`},
		{config.Settings{Realm: `the "files"`}, "realm", "without quotes"},
		{config.Settings{Realm: "a\r\nSet-Cookie: b"}, "realm", "printable ASCII"},
		{config.Settings{Realm: "Büro"}, "realm", "printable ASCII"},
		{config.Settings{Anonymous: true, HTPasswd: "users"}, "anonymous", "--htpasswd users names the users"},
		{config.Settings{State: "postgres://davd:secret@db/davd"}, "state", "PostgreSQL can't be used yet"},
		{config.Settings{State: "postgresql:///davd"}, "state", "PostgreSQL can't be used yet"},
		{config.Settings{State: "mysql://davd:secret@db/davd"}, "state", `there is no database "mysql"`},
		{config.Settings{State: "sqlite:"}, "state", "has no path"},
		{config.Settings{Storage: "mem", State: "/srv/state"}, "state", "write mem"},
		{config.Settings{LockTimeoutMin: "0s"}, "lock-timeout-min", "can't be zero"},
		{config.Settings{LockTimeoutMax: "forever"}, "lock-timeout-max", `"forever" is not a duration`},
		{config.Settings{LockTimeoutMax: "0s"}, "lock-timeout-max", "can't be zero"},
		{config.Settings{LockTimeoutMin: "2s", LockTimeoutMax: "1s"}, "lock-timeout-min", "2s is more than --lock-timeout-max 1s"},
		{config.Settings{LocksPerUser: "0"}, "locks-per-user", "write 1 or more"},
		{config.Settings{LocksPerUser: "many"}, "locks-per-user", `"many" is not a number`},
		{config.Settings{MaxXMLBody: "0"}, "max-xml-body", "can't be nothing"},
		{config.Settings{MaxXMLBody: "-1"}, "max-xml-body", `"-1" is not a size`},
		{config.Settings{MaxXMLBody: "1MB"}, "max-xml-body", `"1MB" is not a size`},
		{config.Settings{MaxXMLBody: "MiB"}, "max-xml-body", `"MiB" is not a size`},
		{config.Settings{MaxXMLBody: "8589934592GiB"}, "max-xml-body", "is not a size"},
		{config.Settings{Interim: "on"}, "interim", `there is no "on": write auto, always or never`},
		{config.Settings{OnDisconnect: "stop"}, "on-disconnect", `there is no "stop"`},
		{config.Settings{Drain: "10"}, "drain", `"10" is not a duration`},
		{config.Settings{InterimAfter: "soon"}, "interim-after", `"soon" is not a duration`},
		{config.Settings{InterimEvery: "0"}, "interim-every", "can't be zero"},
		{config.Settings{InterimEvery: "-1s"}, "interim-every", "less than nothing"},
		{config.Settings{TLSCert: "c"}, "tls-cert", "--tls-key"},
		{config.Settings{TLSKey: "k"}, "tls-cert", "--tls-key"},
		{config.Settings{LogFormat: "xml"}, "log-format", `there is no "xml": write text or json`},
		{config.Settings{LogLevel: "INFO"}, "log-level", `there is no "INFO": write debug, info, warn or error`},
		{config.Settings{Addrs: []string{"x"}, LogLevel: "x"}, "addr", "is not an address"},
	} {
		t.Run(tt.setting+"/"+tt.says, func(t *testing.T) {
			c, err := config.New(tt.settings)
			wrong, ok := errors.AsType[*config.Error](err)
			if !ok {
				t.Fatalf("got %+v, error %v, want a *config.Error", c, err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the password: %v", err)
			}
			if wrong.Setting != tt.setting || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q of the setting %q, want %q of %q", err, wrong.Setting, tt.says, tt.setting)
			}
		})
	}
}

func TestAddrString(t *testing.T) {
	for _, text := range []string{"127.0.0.1:8080", "[::1]:0", ":80", "unix:/run/davd.sock"} {
		addr, err := config.ParseAddr(text)
		if err != nil || addr.String() != text {
			t.Errorf("ParseAddr(%q) is %q, error %v", text, addr, err)
		}
	}
}
