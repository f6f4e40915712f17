package auth

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// passwd is an htpasswd file whose times are the test's.
type passwd struct {
	t     *testing.T
	name  string
	log   bytes.Buffer
	users *Users
}

const (
	annSecret = "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
	bobSecret = "bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
	annOther  = "ann:{SHA}0pQXSN0mN4AqQ4qrEJT1gV8eYmc=\n"
)

func newPasswd(t *testing.T, content string) *passwd {
	t.Helper()
	p := &passwd{t: t, name: filepath.Join(t.TempDir(), "users")}
	p.write(content)
	var err error
	if p.users, err = Open(p.name, slog.New(slog.NewTextHandler(&p.log, nil))); err != nil {
		t.Fatal(err)
	}
	return p
}

// write writes the file in place.
func (p *passwd) write(content string) {
	p.t.Helper()
	if err := os.WriteFile(p.name, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chtimes(p.name, time.Time{}, time.Now()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *passwd) verifies(user string, want bool) {
	p.t.Helper()
	err := p.users.verify(p.t.Context(), user, "secret", "@")
	if (err == nil) != want || err != nil && !errors.Is(err, errWrong) {
		p.t.Errorf("%s: got %v", user, err)
	}
}

// logged reports what has been logged since it was last called.
func (p *passwd) logged() string {
	defer p.log.Reset()
	return p.log.String()
}

func TestReread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret+bobSecret)
		p.verifies("ann", true)
		time.Sleep(time.Hour)
		p.verifies("ann", true)

		// A user who is removed is out, though verified, at the next look.
		p.write(bobSecret)
		p.verifies("ann", true)
		time.Sleep(checkEvery)
		p.verifies("ann", false)
		p.verifies("bob", true)
		if got := p.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=INFO msg="the users have been read again"`) || !strings.Contains(got, "users=1") {
			t.Errorf("logged %s", got)
		}

		// So is who has another password.
		p.write(annSecret + bobSecret)
		time.Sleep(checkEvery)
		p.verifies("ann", true)
		p.write(annOther + bobSecret)
		time.Sleep(checkEvery)
		p.verifies("ann", false)
		p.verifies("bob", true)
	})
}

func TestRereadBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret)
		for _, damage := range []struct {
			do   func()
			says string
		}{
			{func() { p.write("ann:s3cret\n") }, ":1: user "},
			{func() { p.write("") }, "nobody is in it"},
			{func() { _ = os.Remove(p.name) }, "no such file"},
			{func() { _ = os.Mkdir(p.name, 0o700) }, "not a regular file"},
		} {
			damage.do()
			for range 3 {
				time.Sleep(time.Minute)
				p.verifies("ann", true)
				p.verifies("bob", false)
			}
			if got := p.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, damage.says) || strings.Contains(got, "s3cret") {
				t.Errorf("logged %s, want one line of %q", got, damage.says)
			}
		}
		if err := os.Remove(p.name); err != nil {
			t.Fatal(err)
		}
		p.write(bobSecret)
		time.Sleep(checkEvery)
		p.verifies("ann", false)
		p.verifies("bob", true)
		if got := p.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "read again") {
			t.Errorf("logged %s", got)
		}
	})
}

// TestRereadKeeps: a verification outlives what changes for others.
func TestRereadKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret)
		p.verifies("ann", true)
		before := p.users.table.Load().users["ann"].verified.Load()
		p.write(bobSecret + annSecret)
		time.Sleep(checkEvery)
		p.verifies("bob", true)
		if after := p.users.table.Load().users["ann"].verified.Load(); before == nil || after != before {
			t.Errorf("before %v, after %v", before, after)
		}
	})
}

// TestRereadSameTick changes the file twice within the resolution of its time,
// without changing its size.
func TestRereadSameTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret)
		start := time.Now()
		time.Sleep(checkEvery)
		p.write(bobSecret)
		if err := os.Chtimes(p.name, time.Time{}, start); err != nil {
			t.Fatal(err)
		}
		p.verifies("bob", true)
		// Once it is old it is no longer read.
		time.Sleep(settled)
		p.verifies("bob", true)
		read := p.users.seen.at
		time.Sleep(time.Minute)
		p.verifies("bob", true)
		if p.users.seen.at != read {
			t.Error("an old file is read again")
		}
	})
}

// TestRereadByOneSign has a change that a single thing gives away.
func TestRereadByOneSign(t *testing.T) {
	for _, tt := range []struct {
		sign   string
		change func(p *passwd, written time.Time) error
	}{
		{"time", func(p *passwd, _ time.Time) error {
			p.write(bobSecret)
			return nil
		}},
		{"earlier time", func(p *passwd, written time.Time) error { // as cp -p does
			p.write(bobSecret)
			return os.Chtimes(p.name, time.Time{}, written.Add(-time.Hour))
		}},
		{"size", func(p *passwd, written time.Time) error {
			p.write(bobSecret + "#")
			return os.Chtimes(p.name, time.Time{}, written)
		}},
		// As mv and editors do.
		{"file", func(p *passwd, written time.Time) error {
			other := p.name + ".new"
			return errors.Join(
				os.WriteFile(other, []byte(bobSecret), 0o600),
				os.Chtimes(other, time.Time{}, written),
				os.Rename(other, p.name),
			)
		}},
	} {
		t.Run(tt.sign, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPasswd(t, annSecret)
				written := time.Now()
				time.Sleep(time.Minute)
				p.verifies("ann", true)
				time.Sleep(time.Minute)
				if err := tt.change(p, written); err != nil {
					t.Fatal(err)
				}
				p.verifies("bob", true)
			})
		})
	}
}

func TestOpenBad(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{
		filepath.Join(dir, "none"): "no such file: create it with htpasswd",
		dir:                        "is not a regular file",
		long:                       "longer than 16 MiB",
	} {
		if _, err := Open(file, nil); err == nil || !strings.HasPrefix(err.Error(), file+": ") || !strings.Contains(err.Error(), says) {
			t.Errorf("got error %v, want %s", err, says)
		}
	}
}
