package config_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
)

func TestDiff(t *testing.T) {
	const before = "addr: :80\nanonymous: true\nshares:\n  /a: {mem: true, rights: {anyone: read}}\n  /b: {mem: true}\n"
	for _, tt := range []struct {
		name, before, after string
		applied, restart    []string
	}{
		{"nothing", before, "# moved\n" + before, nil, nil},
		{"a default written out", before, before + "drain: 10s\n", nil, nil},
		{
			"settings", before, "addr: :81\nlog-level: debug\nanonymous: true\nshares:\n  /a: {mem: true, rights: {anyone: read}}\n  /b: {mem: true}\n",
			[]string{"log-level"},
			[]string{"addr"},
		},
		{
			"shares", before, "addr: :80\nanonymous: true\nshares:\n  /a: {mem: true, rights: {anyone: write}}\n  /c: {mem: true}\n",
			[]string{"shares./a", "shares./b", "shares./c"},
			nil,
		},
		{
			"users", "shares: {/a: {mem: true}}\nusers: {ann: {password-file: hash}}\n", "shares: {/a: {mem: true}}\nusers: {ann: {password-file: hash}, bob: {password-file: hash}}\ngroups: {g: [ann]}\n",
			[]string{"groups.g", "users.bob"},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			load := func(text string) *config.Config {
				c := config.New(nil)
				if err := c.LoadFile(filepath.Join(write(t, map[string]string{"davd.yaml": text, "hash": hash}), "davd.yaml")); err != nil {
					t.Fatal(err)
				}
				return c
			}
			one, other := load(tt.before), load(tt.after)
			for _, u := range slices.Concat(one.Users, other.Users) {
				if u.Hash != hash {
					t.Errorf("the hash of %s is %q", u.Name, u.Hash)
				}
			}
			got := config.Diff(one, other)
			if err := other.KeepFixed(one); err != nil {
				t.Fatal(err)
			}
			if rest := config.Diff(one, other); rest.Restart != nil || !slices.Equal(rest.Applied, got.Applied) {
				t.Errorf("after KeepFixed, they differ by %+v", rest)
			}
			if !slices.Equal(one.Addrs, other.Addrs) {
				t.Errorf("after KeepFixed, the addresses are %v", other.Addrs)
			}
			// The names of the files differ, because the directories do.
			got.Applied = slices.DeleteFunc(got.Applied, func(name string) bool { return name == "users.ann" })
			if !slices.Equal(got.Applied, tt.applied) || !slices.Equal(got.Restart, tt.restart) {
				t.Errorf("got %+v, want %v and %v", got, tt.applied, tt.restart)
			}
		})
	}
}

// TestKeepFixed checks values that follow from settings that are kept and from others.
func TestKeepFixed(t *testing.T) {
	load := func(text string) *config.Config {
		c := config.New(nil)
		if err := c.LoadFile(filepath.Join(write(t, map[string]string{"davd.yaml": text}), "davd.yaml")); err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := load("addr: nas.example:80\nlocks-per-user: 100\nstate: mem\nshares: {/a: {mem: true}}\n")
	after := load("addr: other.example:80\nlocks-per-user: 1000\nhost: files.example\nshares: {/b: {mem: true}}\n")
	if err := after.KeepFixed(before); err != nil {
		t.Fatal(err)
	}
	if want := []string{"files.example", "nas.example"}; !slices.Equal(after.Hosts, want) {
		t.Errorf("the hosts are %q, want %q", after.Hosts, want)
	}
	if after.Locks.MaxPerPrincipal != 100 || after.Handler.Limits.LocksOf != 25 || !after.State.Memory || after.Shares[0].Name != "/b" {
		t.Errorf("got %+v, %+v, %+v and %+v", after.Locks, after.Handler.Limits, after.State, after.Shares[0])
	}
}
