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
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
)

// given are texts that the operator wrote, by the name of the setting. DIR is the argument.
type given map[string]string

func read(texts given) (*config.Config, error) {
	c := config.New(nil)
	for name, text := range texts {
		if name == "DIR" {
			continue
		}
		if err := c.Setting(name).Set(text); err != nil {
			return nil, err
		}
	}
	return c, c.Read(texts["DIR"])
}

func TestNewOfNothing(t *testing.T) {
	want := &config.Config{
		Storage: config.Storage{Kind: config.Dir},
		Page:    config.PagePlain,
		Dir:     ".",
		Local:   local.Options{Links: local.LinksInside},
		Handler: dav.Handler{
			LockTimeouts:   dav.LockTimeouts{Min: time.Second, Max: 24 * time.Hour},
			MaxXML:         1 << 20,
			PropertyLimits: deadprops.Limits{Owner: 256 << 20},
			Listings:       dav.Listings{Most: 64, MostOf: 16},
			Limits:         dav.Limits{Operations: 1024, OperationsOf: 256, LocksOf: 2500, Uploads: 1000, UploadAge: 24 * time.Hour},
			StallTimeout:   2 * time.Minute, MinRate: 500,
			Sync: storage.SyncNever,
			Interim: interim.Policy{
				Mode: interim.Auto, After: 20 * time.Second, Every: 20 * time.Second, Proxy: interim.ProxyNone,
			},
		},
		Addrs:     []config.Addr{{Network: "tcp", Address: "127.0.0.1:8080"}},
		Realm:     "davd",
		Locks:     lock.Options{MaxPerPrincipal: 10_000},
		Drain:     10 * time.Second,
		LogFormat: config.Text,
		LogLevel:  slog.LevelInfo,
		Network:   config.Network{Connections: config.Connections{All: 16384, Of: 4096}, HeaderTimeout: 30 * time.Second},
	}
	for name, settings := range map[string]given{
		"nothing":   {},
		"empty":     {"addr": "", "interim-client": "", "trusted-proxy": ",", "realm": "", "min-rate": "", "read-only": "false"},
		"root":      {"prefix": "/"},
		"the slash": {"prefix": "//"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(settings)
			if err != nil {
				t.Fatal(err)
			}
			sameFields(t, got, want)
		})
	}
}

// sameFields checks that the exported fields are the same, except the names of files.
func sameFields(t *testing.T, got, want *config.Config) {
	t.Helper()
	for field, wanted := range reflect.ValueOf(want).Elem().Fields() {
		value := reflect.ValueOf(got).Elem().FieldByIndex(field.Index)
		if field.IsExported() && field.Name != "File" && field.Name != "Files" && !reflect.DeepEqual(value.Interface(), wanted.Interface()) {
			t.Errorf("%s is %+v, want %+v", field.Name, value, wanted)
		}
	}
}

func TestNewGood(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings given
		got      func(c *config.Config) any
		want     any
	}{
		{
			"listings",
			given{"propfind-infinity": "deny", "listings-at-once": "2", "listings-per-user": "1"},
			func(c *config.Config) any { return c.Handler.Listings },
			dav.Listings{Infinity: dav.NoInfinity, Most: 2, MostOf: 1},
		},
		{
			"limits of one client: a quarter of all",
			given{"locks-per-user": "100", "operations-at-once": "3"},
			func(c *config.Config) any { return c.Handler.Limits },
			dav.Limits{Operations: 3, OperationsOf: 1, LocksOf: 25, Uploads: 1000, UploadAge: 24 * time.Hour},
		},
		{
			"limits of one client",
			given{"locks-per-address": "7", "operations-per-user": "8", "operations-at-once": "9", "uploads-at-once": "3", "uploads-per-user": "2", "max-upload-size": "1KiB", "upload-age": "1h"},
			func(c *config.Config) any { return c.Handler.Limits },
			dav.Limits{Operations: 9, OperationsOf: 8, LocksOf: 7, Uploads: 3, UploadsOf: 2, UploadSize: 1024, UploadAge: time.Hour},
		},
		{
			"listings of so many",
			given{"propfind-infinity": "1000"},
			func(c *config.Config) any { return c.Handler.Listings.Infinity },
			1000,
		},
		{
			"addresses",
			given{"addr": "localhost:0,unix:run/s.sock,[::1]:443,:80"},
			func(c *config.Config) any { return c.Addrs },
			[]config.Addr{{"tcp", "localhost:0"}, {"unix", "run/s.sock"}, {"tcp", "[::1]:443"}, {"tcp", ":80"}},
		},
		{
			"hosts",
			given{"host": "Files.Example.,,nas", "addr": "davd.example:80,127.0.0.1:80,[::1]:80,unix:s.sock,:80"},
			func(c *config.Config) any { return c.Hosts },
			[]string{"files.example", "nas", "davd.example"},
		},
		{"directory", given{"DIR": "/srv"}, func(c *config.Config) any { return c.Dir }, "/srv"},
		{"memory", given{"storage": "mem"}, func(c *config.Config) any { return c.Storage.Kind }, config.Mem},
		{"memory has no directory", given{"storage": "mem"}, func(c *config.Config) any { return c.Dir }, ""},
		{"prefix", given{"prefix": "/a/b"}, func(c *config.Config) any { return c.Handler.Prefix }, "/a/b"},
		{"trailing slash", given{"prefix": "/a/b/"}, func(c *config.Config) any { return c.Handler.Prefix }, "/a/b"},
		{"read-only", given{"read-only": "true"}, func(c *config.Config) any { return c.Handler.ReadOnly }, true},
		{"symlinks", given{}, func(c *config.Config) any { return c.Local.Links }, local.LinksInside},
		{"no symlinks", given{"symlinks": "deny"}, func(c *config.Config) any { return c.Local.Links }, local.LinksDeny},
		{"all symlinks", given{"symlinks": "follow"}, func(c *config.Config) any { return c.Local.Links }, local.LinksFollow},
		{"copies of links", given{"copy-links": "true"}, func(c *config.Config) any { return c.Handler.CopyLinks }, true},
		{"fsync", given{"fsync": "close"}, func(c *config.Config) any { return c.Handler.Sync }, storage.SyncClose},
		{"partial PUT", given{"partial-put": "true"}, func(c *config.Config) any { return c.Handler.PartialPut }, true},
		{"page", given{"page": "full"}, func(c *config.Config) any { return c.Page }, config.PageFull},
		{"no page", given{}, func(c *config.Config) any { return c.Page }, config.PagePlain},
		{"latency", given{"latency": "2ms"}, func(c *config.Config) any { return c.Latency }, 2 * time.Millisecond},
		{"compress", given{}, func(c *config.Config) any { return c.Handler.Compress }, dav.CompressAuto},
		{"compress never", given{"compress": "never"}, func(c *config.Config) any { return c.Handler.Compress }, dav.CompressNever},
		{
			"interim clients",
			given{"interim-client": "myapp=0,Other-App=2147483647"},
			func(c *config.Config) any { return c.Handler.Interim.Clients },
			[]interim.KnownClient{{Product: "myapp", Source: "--interim-client"}, {Product: "Other-App", Cap: interim.Unlimited, Source: "--interim-client"}},
		},
		{"interim proxy", given{"interim-proxy": "apache"}, func(c *config.Config) any { return c.Handler.Interim.Proxy }, interim.ProxyApache},
		{
			"trusted proxies",
			given{"trusted-proxy": "192.0.2.7,10.0.0.0/8,::ffff:192.0.2.8,2001:db8::/32"},
			func(c *config.Config) any { return c.Handler.TrustedProxies },
			dav.TrustedProxies{
				netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("192.0.2.8/32"), netip.MustParsePrefix("2001:db8::/32"),
			},
		},
		{"users", given{"htpasswd": "users"}, func(c *config.Config) any { return c.HTPasswd }, []string{"users"}},
		{"realm", given{"realm": "our files"}, func(c *config.Config) any { return c.Realm }, "our files"},
		{"admin", given{"admin": "ann,", "htpasswd": "users"}, func(c *config.Config) any { return strings.Join(c.Admins, ",") }, "ann"},
		{"anonymous", given{"anonymous": "true"}, func(c *config.Config) any { return c.Anonymous }, true},
		{"locks", given{"locks-per-user": "3"}, func(c *config.Config) any { return c.Locks.MaxPerPrincipal }, 3},
		{"on disconnect", given{"on-disconnect": "cancel"}, func(c *config.Config) any { return c.Handler.CancelWhenGone }, true},
		{"stall timeout", given{}, func(c *config.Config) any { return c.Handler.StallTimeout }, 2 * time.Minute},
		{"no stall timeout", given{"stall-timeout": "0"}, func(c *config.Config) any { return c.Handler.StallTimeout }, time.Duration(-1)},
		{"rate", given{"min-rate": "2KiB"}, func(c *config.Config) any { return c.Handler.MinRate }, int64(2048)},
		{"no rate", given{"min-rate": "0"}, func(c *config.Config) any { return c.Handler.MinRate }, int64(-1)},
		{"drain", given{"drain": "0s"}, func(c *config.Config) any { return c.Drain }, time.Duration(0)},
		{
			"interim",
			given{"interim": "always", "interim-after": "1s", "interim-every": "100ms"},
			func(c *config.Config) any { i := c.Handler.Interim; return []any{i.Mode, i.After, i.Every} },
			[]any{interim.Always, time.Second, 100 * time.Millisecond},
		},
		{
			"interim at once",
			given{"interim-after": "0s"},
			func(c *config.Config) any { return c.Handler.Interim.After < 0 },
			true,
		},
		{
			"TLS",
			given{"tls-cert": "c", "tls-key": "k"},
			func(c *config.Config) any { return c.TLS() && c.TLSCert == "c" && c.TLSKey == "k" },
			true,
		},
		{"no TLS", given{}, func(c *config.Config) any { return c.TLS() }, false},
		{"log format", given{"log-format": "json"}, func(c *config.Config) any { return c.LogFormat }, config.JSON},
		{"log level", given{"log-level": "warn"}, func(c *config.Config) any { return c.LogLevel }, slog.LevelWarn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := read(tt.settings)
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
		settings given
		setting  string
		says     string
	}{
		{given{"addr": "8080"}, "addr", `"8080" is not an address`},
		{given{"addr": ":8080,::1:80"}, "addr", `"::1:80" is not an address`},
		{given{"addr": "localhost:http"}, "addr", `"localhost:http" has no port`},
		{given{"addr": "localhost:65536"}, "addr", `"localhost:65536" has no port`},
		{given{"addr": "localhost:-1"}, "addr", `"localhost:-1" has no port`},
		{given{"addr": "unix:"}, "addr", `"unix:" has no path`},
		{given{"host": "https://files.example"}, "host", "without scheme, port and path"},
		{given{"host": "files.example:80"}, "host", "without scheme, port and path"},
		{given{"host": "*.example"}, "host", "is not a host name"},
		{given{"host": "zoë.example"}, "host", "with xn--"},
		{given{"host": "."}, "host", "1 to 253 characters"},
		{given{"prefix": "a"}, "prefix", "write /a"},
		{given{"prefix": "/a//b/"}, "prefix", "write /a/b"},
		{given{"prefix": "/a/../b"}, "prefix", "write /b"},
		{given{"symlinks": "no"}, "symlinks", `unknown value "no": write deny, inside or follow`},
		{given{"storage": "tape"}, "storage", `unknown value "tape": write dir, mem, blobs:DIR or s3://BUCKET/PREFIX?endpoint=URL`},
		{given{"storage": "mem", "DIR": "/srv"}, "storage", "leave out /srv"},
		{given{"fsync": "yes"}, "fsync", `unknown value "yes": write never, close or always`},
		{given{"latency": "2"}, "latency", `"2" is not a duration`},
		{given{"latency": "-2s"}, "latency", `"-2s" is negative`},
		{given{"realm": `the "files"`}, "realm", "without quotes"},
		{given{"realm": "a\r\nSet-Cookie: b"}, "realm", "printable ASCII"},
		{given{"realm": "Büro"}, "realm", "printable ASCII"},
		{given{"anonymous": "true", "htpasswd": "users"}, "anonymous", "contradicts --htpasswd users"},
		{given{"admin": ",ann"}, "admin", "--htpasswd FILE"},
		{given{"state": "postgres://davd:secret@db:x/davd"}, "state", "not the URL of a database"},
		{given{"state": "postgres://davd:secret@db/"}, "state", "names no database"},
		{given{"fence-command": "/bin/fence"}, "fence-command", "has no effect without --state postgres"},
		{given{"state": "postgres://davd@db/davd", "fence-command": "fence"}, "fence-command", "not an absolute path"},
		{given{"node-name": "a"}, "node-name", "has no effect without --state postgres"},
		{given{"state": "postgres://davd@db/davd", "node-name": "a\nb"}, "node-name", "not a name"},
		{given{"state": "mysql://davd:secret@db/davd"}, "state", `unknown kind of database "mysql"`},
		{given{"state": "sqlite:"}, "state", "has no path"},
		{given{"storage": "mem", "state": "/srv/state"}, "state", "write mem"},
		{given{"lock-timeout-min": "0s"}, "lock-timeout-min", "can't be zero"},
		{given{"lock-timeout-max": "forever"}, "lock-timeout-max", `"forever" is not a duration`},
		{given{"lock-timeout-max": "0s"}, "lock-timeout-max", "can't be zero"},
		{given{"lock-timeout-min": "2s", "lock-timeout-max": "1s"}, "lock-timeout-min", "2s is more than --lock-timeout-max 1s"},
		{given{"locks-per-user": "0"}, "locks-per-user", "write 1 or more"},
		{given{"propfind-infinity": "some"}, "propfind-infinity", `write allow, deny or the number`},
		{given{"propfind-infinity": "0"}, "propfind-infinity", `unknown value "0"`},
		{given{"listings-at-once": "0"}, "listings-at-once", "write 1 or more"},
		{given{"listings-per-user": "no"}, "listings-per-user", "write 1 or more"},
		{given{"locks-per-address": "0"}, "locks-per-address", "write 1 or more"},
		{given{"operations-at-once": "0"}, "operations-at-once", "write 1 or more"},
		{given{"operations-per-user": "-1"}, "operations-per-user", "write 1 or more"},
		{given{"locks-per-user": "many"}, "locks-per-user", `"many" is not a whole number`},
		{given{"properties-per-user": "0"}, "properties-per-user", "can't be zero"},
		{given{"properties-per-user": "many"}, "properties-per-user", `"many" is not a size`},
		{given{"max-xml-body": "0"}, "max-xml-body", "can't be zero"},
		{given{"max-xml-body": "-1"}, "max-xml-body", `"-1" is not a size`},
		{given{"max-xml-body": "1MB"}, "max-xml-body", `"1MB" is not a size`},
		{given{"max-xml-body": "MiB"}, "max-xml-body", `"MiB" is not a size`},
		{given{"max-xml-body": "8589934592GiB"}, "max-xml-body", "is not a size"},
		{given{"compress": "gzip"}, "compress", `unknown value "gzip": write auto, always or never`},
		{given{"interim": "on"}, "interim", `unknown value "on": write auto, always or never`},
		{given{"interim-proxy": "on"}, "interim-proxy", `unknown value "on": write none, pass or apache`},
		{given{"interim-client": "a=1,curl"}, "interim-client", `"curl" is not NAME=CAP`},
		{given{"interim-client": "=1"}, "interim-client", `"=1" is not NAME=CAP`},
		{given{"interim-client": "curl/7=1"}, "interim-client", `"curl/7=1" is not NAME=CAP`},
		{given{"interim-client": "café=1"}, "interim-client", `is not NAME=CAP`},
		{given{"interim-client": "curl="}, "interim-client", "write curl=100, or curl=0 for none"},
		{given{"interim-client": "curl=-1"}, "interim-client", "write curl=100, or curl=0 for none"},
		{given{"interim-client": "curl=2147483648"}, "interim-client", "write curl=100, or curl=0 for none"},
		{given{"trusted-proxy": "localhost"}, "trusted-proxy", `"localhost" is neither an address nor a network`},
		{given{"trusted-proxy": "10.0.0.0/33"}, "trusted-proxy", "is neither an address nor a network"},
		{given{"trusted-proxy": "fe80::1%eth0"}, "trusted-proxy", "is neither an address nor a network"},
		{given{"trusted-proxy": "10.1.0.0/8"}, "trusted-proxy", "write 10.1.0.0 for the address, or 10.0.0.0/8 for the network"},
		{given{"on-disconnect": "stop"}, "on-disconnect", `unknown value "stop"`},
		{given{"min-rate": "fast"}, "min-rate", `"fast" is not a size`},
		{given{"stall-timeout": "-1s"}, "stall-timeout", "is negative"},
		{given{"drain": "10"}, "drain", `"10" is not a duration`},
		{given{"interim-after": "soon"}, "interim-after", `"soon" is not a duration`},
		{given{"interim-every": "0"}, "interim-every", "can't be zero"},
		{given{"interim-every": "-1s"}, "interim-every", "is negative"},
		{given{"tls-cert": "c"}, "tls-cert", "--tls-key"},
		{given{"tls-key": "k"}, "tls-cert", "--tls-key"},
		{given{"log-format": "xml"}, "log-format", `unknown value "xml": write text or json`},
		{given{"log-level": "INFO"}, "log-level", `unknown value "INFO": write debug, info, warn or error`},
		{given{"addr": "x", "log-level": "x"}, "addr", "is not an address"},
	} {
		t.Run(tt.setting+"/"+tt.says, func(t *testing.T) {
			c, err := read(tt.settings)
			wrong, ok := errors.AsType[*setting.Error](err)
			if !ok {
				t.Fatalf("got %+v, error %v, want a *setting.Error", c, err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the password: %v", err)
			}
			if wrong.Name != tt.setting || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q of the setting %q, want %q of %q", err, wrong.Name, tt.says, tt.setting)
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
