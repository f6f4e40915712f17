package config_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

func lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	hosts := map[string][]netip.Addr{
		"localhost": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
		"mapped":    {netip.MustParseAddr("::ffff:127.0.0.1")},
		"both":      {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")},
		"public":    {netip.MustParseAddr("2001:db8::1")},
	}
	if addrs, ok := hosts[host]; ok {
		return addrs, nil
	}
	return nil, errors.New("no such host")
}

func TestCheckAccess(t *testing.T) {
	for _, tt := range []struct {
		addrs   []string
		refused string // the address that is named
	}{
		{nil, ""},
		{[]string{"127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "unix:s.sock"}, ""},
		{[]string{"localhost:80", "mapped:80"}, ""},
		{[]string{"unknown:80"}, ""}, // listening there fails
		{[]string{":80"}, ":80"},
		{[]string{"0.0.0.0:80"}, "0.0.0.0:80"},
		{[]string{"[::]:80"}, "[::]:80"},
		{[]string{"192.0.2.1:80"}, "192.0.2.1:80"},
		{[]string{"[fe80::1%eth0]:80"}, "[fe80::1%eth0]:80"},
		{[]string{"both:80"}, "both:80"},
		{[]string{"public:80"}, "public:80"},
		{[]string{"unix:s.sock", "localhost:80", "public:80", ":80"}, "public:80"},
	} {
		t.Run(strings.Join(tt.addrs, " "), func(t *testing.T) {
			c, err := read(given{"addr": strings.Join(tt.addrs, ",")})
			if err != nil {
				t.Fatal(err)
			}
			err = c.CheckAccess(t.Context(), lookup)
			wrong, refused := errors.AsType[*setting.Error](err)
			if refused != (tt.refused != "") {
				t.Fatalf("got error %v", err)
			}
			if refused && (wrong.Name != "addr" || !strings.Contains(err.Error(), tt.refused+",") ||
				!strings.Contains(err.Error(), "--htpasswd") || !strings.Contains(err.Error(), "--anonymous")) {
				t.Errorf("got error %v", err)
			}
			for _, settled := range []given{{"anonymous": "true"}, {"htpasswd": "users"}} {
				settled["addr"] = strings.Join(tt.addrs, ",")
				c, err := read(settled)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.CheckAccess(t.Context(), lookup); err != nil {
					t.Errorf("with users or --anonymous: %v", err)
				}
			}
		})
	}
}
