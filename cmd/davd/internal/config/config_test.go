package config_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

func TestNewOfNothing(t *testing.T) {
	want := &config.Config{
		Storage:      config.Dir,
		Dir:          ".",
		Sync:         storage.SyncNever,
		Addrs:        []config.Addr{{Network: "tcp", Address: "127.0.0.1:8080"}},
		Realm:        "davd",
		LockTimeouts: dav.LockTimeouts{Min: time.Second, Max: 24 * time.Hour, Default: time.Hour},
		LocksPerUser: 10_000,
		MaxXML:       1 << 20,

		PropertiesPerUser: 256 << 20,

		Listings:     dav.Listings{Most: 64, MostOf: 16},
		Limits:       dav.Limits{Operations: 1024, OperationsOf: 256, LocksOf: 2500},
		OnDisconnect: config.Finish,
		StallTimeout: 2 * time.Minute, MinRate: 500, Drain: 10 * time.Second,
		InterimMode:  dav.InterimAuto,
		InterimAfter: 20 * time.Second,
		InterimEvery: 20 * time.Second,
		InterimProxy: dav.ProxyNone,
		LogFormat:    config.Text,
		LogLevel:     slog.LevelInfo,
	}
	for name, settings := range map[string]config.Settings{
		"nothing":   {},
		"empty":     {Addrs: []string{""}, InterimClients: []string{""}, TrustedProxies: []string{""}},
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
			"listings",
			config.Settings{PropfindInfinity: "deny", ListingsAtOnce: "2", ListingsPerUser: "1"},
			func(c *config.Config) any { return c.Listings },
			dav.Listings{Infinity: dav.NoInfinity, Most: 2, MostOf: 1},
		},
		{
			"limits of one client: a quarter of all",
			config.Settings{LocksPerUser: "100", OperationsAtOnce: "3"},
			func(c *config.Config) any { return c.Limits },
			dav.Limits{Operations: 3, OperationsOf: 1, LocksOf: 25},
		},
		{
			"limits of one client",
			config.Settings{LocksPerAddress: "7", OperationsPerUser: "8", OperationsAtOnce: "9"},
			func(c *config.Config) any { return c.Limits },
			dav.Limits{Operations: 9, OperationsOf: 8, LocksOf: 7},
		},
		{
			"listings of so many",
			config.Settings{PropfindInfinity: "1000"},
			func(c *config.Config) any { return c.Listings.Infinity },
			1000,
		},
		{
			"addresses",
			config.Settings{Addrs: []string{"localhost:0", "unix:run/s.sock", "[::1]:443", ":80"}},
			func(c *config.Config) any { return c.Addrs },
			[]config.Addr{{"tcp", "localhost:0"}, {"unix", "run/s.sock"}, {"tcp", "[::1]:443"}, {"tcp", ":80"}},
		},
		{
			"hosts",
			config.Settings{Hosts: []string{"Files.Example.", "", "nas"}, Addrs: []string{"davd.example:80", "127.0.0.1:80", "[::1]:80", "unix:s.sock", ":80"}},
			func(c *config.Config) any { return c.Hosts },
			[]string{"files.example", "nas", "davd.example"},
		},
		{"directory", config.Settings{Dir: "/srv"}, func(c *config.Config) any { return c.Dir }, "/srv"},
		{"memory", config.Settings{Storage: "mem"}, func(c *config.Config) any { return c.Storage }, config.Mem},
		{"memory has no directory", config.Settings{Storage: "mem"}, func(c *config.Config) any { return c.Dir }, ""},
		{"prefix", config.Settings{Prefix: "/a/b"}, func(c *config.Config) any { return c.Prefix }, "/a/b"},
		{"trailing slash", config.Settings{Prefix: "/a/b/"}, func(c *config.Config) any { return c.Prefix }, "/a/b"},
		{"read-only", config.Settings{ReadOnly: true}, func(c *config.Config) any { return c.ReadOnly }, true},
		{"symlinks", config.Settings{}, func(c *config.Config) any { return c.Symlinks }, local.LinksInside},
		{"no symlinks", config.Settings{Symlinks: "deny"}, func(c *config.Config) any { return c.Symlinks }, local.LinksDeny},
		{"all symlinks", config.Settings{Symlinks: "follow"}, func(c *config.Config) any { return c.Symlinks }, local.LinksFollow},
		{"copies of links", config.Settings{CopyLinks: true}, func(c *config.Config) any { return c.CopyLinks }, true},
		{"fsync", config.Settings{Fsync: "close"}, func(c *config.Config) any { return c.Sync }, storage.SyncClose},
		{"partial PUT", config.Settings{PartialPut: true}, func(c *config.Config) any { return c.PartialPut }, true},
		{"latency", config.Settings{Latency: "2ms"}, func(c *config.Config) any { return c.Latency }, 2 * time.Millisecond},
		{"compress", config.Settings{}, func(c *config.Config) any { return c.Compress }, dav.CompressAuto},
		{"compress never", config.Settings{Compress: "never"}, func(c *config.Config) any { return c.Compress }, dav.CompressNever},
		{
			"interim clients",
			config.Settings{InterimClients: []string{"myapp=0", "Other-App=2147483647"}},
			func(c *config.Config) any { return c.Interim().Clients },
			[]dav.Client{{Product: "myapp", Source: "--interim-client"}, {Product: "Other-App", Cap: dav.Unlimited, Source: "--interim-client"}},
		},
		{"interim proxy", config.Settings{InterimProxy: "apache"}, func(c *config.Config) any { return c.Interim().Proxy }, dav.ProxyApache},
		{
			"trusted proxies",
			config.Settings{TrustedProxies: []string{"192.0.2.7", "10.0.0.0/8", "::ffff:192.0.2.8", "2001:db8::/32"}},
			func(c *config.Config) any { return c.TrustedProxies },
			dav.TrustedProxies{
				netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("192.0.2.8/32"), netip.MustParsePrefix("2001:db8::/32"),
			},
		},
		{"users", config.Settings{HTPasswd: "users"}, func(c *config.Config) any { return c.HTPasswd }, "users"},
		{"realm", config.Settings{Realm: "our files"}, func(c *config.Config) any { return c.Realm }, "our files"},
		{"admin", config.Settings{Admins: []string{"ann", ""}, HTPasswd: "users"}, func(c *config.Config) any { return strings.Join(c.Admins, ",") }, "ann"},
		{"anonymous", config.Settings{Anonymous: true}, func(c *config.Config) any { return c.Anonymous }, true},
		{"locks", config.Settings{LocksPerUser: "3"}, func(c *config.Config) any { return c.LocksPerUser }, 3},
		{"on disconnect", config.Settings{OnDisconnect: "cancel"}, func(c *config.Config) any { return c.OnDisconnect }, config.Cancel},
		{"stall timeout", config.Settings{}, func(c *config.Config) any { return c.StallTimeout }, 2 * time.Minute},
		{"no stall timeout", config.Settings{StallTimeout: "0"}, func(c *config.Config) any { return c.StallTimeout }, time.Duration(-1)},
		{"rate", config.Settings{MinRate: "2KiB"}, func(c *config.Config) any { return c.MinRate }, int64(2048)},
		{"no rate", config.Settings{MinRate: "0"}, func(c *config.Config) any { return c.MinRate }, int64(-1)},
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
		{config.Settings{Hosts: []string{"https://files.example"}}, "host", "without scheme, port and path"},
		{config.Settings{Hosts: []string{"files.example:80"}}, "host", "without scheme, port and path"},
		{config.Settings{Hosts: []string{"*.example"}}, "host", "is not a host name"},
		{config.Settings{Hosts: []string{"zoë.example"}}, "host", "with xn--"},
		{config.Settings{Hosts: []string{"."}}, "host", "1 to 253 characters"},
		{config.Settings{Prefix: "a"}, "prefix", "write /a"},
		{config.Settings{Prefix: "/a//b/"}, "prefix", "write /a/b"},
		{config.Settings{Prefix: "/a/../b"}, "prefix", "write /b"},
		{config.Settings{Symlinks: "no"}, "symlinks", `unknown value "no": write deny, inside or follow`},
		{config.Settings{Storage: "tape"}, "storage", `unknown value "tape": write dir or mem`},
		{config.Settings{Storage: "mem", Dir: "/srv"}, "storage", "leave out /srv"},
		{config.Settings{Fsync: "yes"}, "fsync", `unknown value "yes": write never, close or always`},
		{config.Settings{Latency: "2"}, "latency", `"2" is not a duration`},
		{config.Settings{Latency: "-2s"}, "latency", `"-2s" is negative`},
		{config.Settings{Realm: `the "files"`}, "realm", "without quotes"},
		{config.Settings{Realm: "a\r\nSet-Cookie: b"}, "realm", "printable ASCII"},
		{config.Settings{Realm: "Büro"}, "realm", "printable ASCII"},
		{config.Settings{Anonymous: true, HTPasswd: "users"}, "anonymous", "contradicts --htpasswd users"},
		{config.Settings{Admins: []string{"", "ann"}}, "admin", "--htpasswd FILE"},
		{config.Settings{State: "postgres://davd:secret@db/davd"}, "state", "PostgreSQL is not supported yet"},
		{config.Settings{State: "postgresql:///davd"}, "state", "PostgreSQL is not supported yet"},
		{config.Settings{State: "mysql://davd:secret@db/davd"}, "state", `unknown kind of database "mysql"`},
		{config.Settings{State: "sqlite:"}, "state", "has no path"},
		{config.Settings{Storage: "mem", State: "/srv/state"}, "state", "write mem"},
		{config.Settings{LockTimeoutMin: "0s"}, "lock-timeout-min", "can't be zero"},
		{config.Settings{LockTimeoutMax: "forever"}, "lock-timeout-max", `"forever" is not a duration`},
		{config.Settings{LockTimeoutMax: "0s"}, "lock-timeout-max", "can't be zero"},
		{config.Settings{LockTimeoutMin: "2s", LockTimeoutMax: "1s"}, "lock-timeout-min", "2s is more than --lock-timeout-max 1s"},
		{config.Settings{LocksPerUser: "0"}, "locks-per-user", "write 1 or more"},
		{config.Settings{PropfindInfinity: "some"}, "propfind-infinity", `write allow, deny or the number`},
		{config.Settings{PropfindInfinity: "0"}, "propfind-infinity", `unknown value "0"`},
		{config.Settings{ListingsAtOnce: "0"}, "listings-at-once", "write 1 or more"},
		{config.Settings{ListingsPerUser: "no"}, "listings-per-user", "write 1 or more"},
		{config.Settings{LocksPerAddress: "0"}, "locks-per-address", "write 1 or more"},
		{config.Settings{OperationsAtOnce: "0"}, "operations-at-once", "write 1 or more"},
		{config.Settings{OperationsPerUser: "-1"}, "operations-per-user", "write 1 or more"},
		{config.Settings{LocksPerUser: "many"}, "locks-per-user", `"many" is not a whole number`},
		{config.Settings{PropertiesPerUser: "0"}, "properties-per-user", "can't be zero"},
		{config.Settings{PropertiesPerUser: "many"}, "properties-per-user", `"many" is not a size`},
		{config.Settings{MaxXMLBody: "0"}, "max-xml-body", "can't be zero"},
		{config.Settings{MaxXMLBody: "-1"}, "max-xml-body", `"-1" is not a size`},
		{config.Settings{MaxXMLBody: "1MB"}, "max-xml-body", `"1MB" is not a size`},
		{config.Settings{MaxXMLBody: "MiB"}, "max-xml-body", `"MiB" is not a size`},
		{config.Settings{MaxXMLBody: "8589934592GiB"}, "max-xml-body", "is not a size"},
		{config.Settings{Compress: "gzip"}, "compress", `unknown value "gzip": write auto, always or never`},
		{config.Settings{Interim: "on"}, "interim", `unknown value "on": write auto, always or never`},
		{config.Settings{InterimProxy: "on"}, "interim-proxy", `unknown value "on": write none, pass or apache`},
		{config.Settings{InterimClients: []string{"a=1", "curl"}}, "interim-client", `"curl" is not NAME=CAP`},
		{config.Settings{InterimClients: []string{"=1"}}, "interim-client", `"=1" is not NAME=CAP`},
		{config.Settings{InterimClients: []string{"curl/7=1"}}, "interim-client", `"curl/7=1" is not NAME=CAP`},
		{config.Settings{InterimClients: []string{"café=1"}}, "interim-client", `is not NAME=CAP`},
		{config.Settings{InterimClients: []string{"curl="}}, "interim-client", "write curl=100, or curl=0 for none"},
		{config.Settings{InterimClients: []string{"curl=-1"}}, "interim-client", "write curl=100, or curl=0 for none"},
		{config.Settings{InterimClients: []string{"curl=2147483648"}}, "interim-client", "write curl=100, or curl=0 for none"},
		{config.Settings{TrustedProxies: []string{"localhost"}}, "trusted-proxy", `"localhost" is neither an address nor a network`},
		{config.Settings{TrustedProxies: []string{"10.0.0.0/33"}}, "trusted-proxy", "is neither an address nor a network"},
		{config.Settings{TrustedProxies: []string{"fe80::1%eth0"}}, "trusted-proxy", "is neither an address nor a network"},
		{config.Settings{TrustedProxies: []string{"10.1.0.0/8"}}, "trusted-proxy", "write 10.1.0.0 for the address, or 10.0.0.0/8 for the network"},
		{config.Settings{OnDisconnect: "stop"}, "on-disconnect", `unknown value "stop"`},
		{config.Settings{MinRate: "fast"}, "min-rate", `"fast" is not a size`},
		{config.Settings{StallTimeout: "-1s"}, "stall-timeout", "is negative"},
		{config.Settings{Drain: "10"}, "drain", `"10" is not a duration`},
		{config.Settings{InterimAfter: "soon"}, "interim-after", `"soon" is not a duration`},
		{config.Settings{InterimEvery: "0"}, "interim-every", "can't be zero"},
		{config.Settings{InterimEvery: "-1s"}, "interim-every", "is negative"},
		{config.Settings{TLSCert: "c"}, "tls-cert", "--tls-key"},
		{config.Settings{TLSKey: "k"}, "tls-cert", "--tls-key"},
		{config.Settings{LogFormat: "xml"}, "log-format", `unknown value "xml": write text or json`},
		{config.Settings{LogLevel: "INFO"}, "log-level", `unknown value "INFO": write debug, info, warn or error`},
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
