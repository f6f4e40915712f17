package locks

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/storage/lock"
)

// operators returns a Manager, and a Remote that reaches it through the control socket.
func operators(t *testing.T) (byName map[string]Operator, system *lock.System, log *bytes.Buffer) {
	t.Helper()
	system, err := lock.New(t.Context(), lock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log = new(bytes.Buffer)
	m := &Manager{Locks: system, Log: slog.New(slog.NewTextHandler(log, nil))}
	var commands control.Commands
	m.Register(&commands)
	path := filepath.Join(t.TempDir(), "s")
	server, err := control.Start(t.Context(), path, &commands, m.Log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	client, err := control.Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Operator{"here": m, "remote": &Remote{client}}, system, log
}

func TestBreak(t *testing.T) {
	byName, system, log := operators(t)
	for name, o := range byName {
		for _, tt := range []struct {
			name   string
			give   func(tokens map[string]string) Break
			broken int
			says   string
		}{
			{"a path", func(map[string]string) Break { return Break{Path: "/a"} }, 1, ""},
			{"a path with a slash", func(map[string]string) Break { return Break{Path: "a/"} }, 1, ""},
			{"a token", func(tokens map[string]string) Break { return Break{Token: tokens["/a"]} }, 1, ""},
			{"RFC 4918 §6.2: one of two", func(tokens map[string]string) Break { return Break{Token: tokens["/s"]} }, 1, ""},
			{"RFC 4918 §6.2: which of two", func(map[string]string) Break { return Break{Path: "/s"} }, 0, "/s has 2 locks"},
			{"both", func(map[string]string) Break { return Break{Path: "/s", All: true} }, 2, ""},
			{"a member of the root", func(map[string]string) Break { return Break{Path: "/a/b"} }, 0, "is locked by the lock on /a"},
			{"a member of a lock with depth 0", func(map[string]string) Break { return Break{Path: "/s/b"} }, 0, "/s/b is not locked"},
			{"nothing", func(map[string]string) Break { return Break{Path: "/x"} }, 0, "/x is not locked: see davd locks"},
			{"no token", func(map[string]string) Break { return Break{Token: "urn:x"} }, 0, "no lock has the token urn:x"},
			{"expired", func(map[string]string) Break { return Break{Path: "/expired"} }, 0, "/expired is not locked"},
			{"all, for sure", func(map[string]string) Break { return Break{} }, 0, "/ is not locked"},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				defer log.Reset()
				if err := system.ReleaseTree(t.Context(), time.Now(), "/"); err != nil {
					t.Fatal(err)
				}
				tokens := make(map[string]string)
				for _, l := range []lock.Lock{
					{Root: "/a", Principal: "ann", Duration: time.Hour},
					{Root: "/s", ZeroDepth: true, Shared: true, Duration: lock.Infinite},
					{Root: "/s", ZeroDepth: true, Shared: true, Duration: time.Hour},
					{Root: "/expired", Duration: 0},
				} {
					granted, err := system.Acquire(t.Context(), time.Now().Add(-time.Second), l)
					if err != nil {
						t.Fatal(err)
					}
					tokens[l.Root] = granted.Token
				}
				broken, err := o.Break(t.Context(), tt.give(tokens))
				if len(broken) != tt.broken || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) || tt.says == "" && err != nil {
					t.Errorf("broke %+v, error %v", broken, err)
				}
				left, err := o.List(t.Context())
				if err != nil || len(left) != 3-tt.broken {
					t.Errorf("left %+v, error %v", left, err)
				}
				if n := strings.Count(log.String(), "the operator has broken a lock"); n != tt.broken {
					t.Errorf("logged %s", log)
				}
			})
		}
	}
}

func TestList(t *testing.T) {
	byName, system, _ := operators(t)
	for name, o := range byName {
		if found, err := o.List(t.Context()); err != nil || found == nil || len(found) != 0 {
			t.Errorf("%s: got %v, error %v", name, found, err)
		}
	}
	now := time.Now()
	for _, l := range []lock.Lock{
		{Root: "/b", Shared: true, ZeroDepth: true, Duration: lock.Infinite},
		{Root: "/a", Principal: "ann", OwnerXML: "<D:href xmlns:D='DAV:'>mailto:ann@example</D:href>", Duration: time.Hour},
	} {
		if _, err := system.Acquire(t.Context(), now, l); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range byName {
		found, err := o.List(t.Context())
		if err != nil || len(found) != 2 {
			t.Fatalf("%s: got %v, error %v", name, found, err)
		}
		a, b := found[0], found[1]
		if a.Path != "/a" || a.Depth != "infinity" || a.Scope != "exclusive" || a.User != "ann" || a.Owner != "mailto:ann@example" ||
			now.Sub(*a.Created).Abs() > time.Millisecond || a.Expires.Sub(*a.Created) != time.Hour || a.Token == "" {
			t.Errorf("%s: got %+v", name, a)
		}
		if b.Path != "/b" || b.Depth != "0" || b.Scope != "shared" || b.User != "" || b.Owner != "" || b.Expires != nil {
			t.Errorf("%s: got %+v", name, b)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := byName["remote"].List(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a command that is given up: %v", err)
	}
}

func TestOwnerText(t *testing.T) {
	for content, want := range map[string]string{
		"":                            "",
		"Ann":                         "Ann",
		"<a>Ann</a> <b>of\n the</b>x": "Ann of the x",
		"a &amp; b":                   "a & b",
		"<a>not <b>closed":            "not closed",
		"\xff":                        "",
	} {
		if got := ownerText(content); got != want {
			t.Errorf("%q is %q, want %q", content, got, want)
		}
	}
	if got := ownerText(strings.Repeat("<a>long</a>", 1<<16)); len(got) > 2*maxOwner {
		t.Errorf("%d bytes are shown", len(got))
	}
}
