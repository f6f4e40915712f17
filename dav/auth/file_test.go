package auth

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// passwd is an htpasswd file whose times are set by the test.
type passwd struct {
	t     *testing.T
	name  string
	log   bytes.Buffer
	users *File
	*door
	// forbidden makes Open's check fail.
	forbidden atomic.Bool
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
	check := func() error {
		if p.forbidden.Load() {
			return errors.New("forbidden")
		}
		return nil
	}
	var err error
	if p.users, err = OpenFile(p.name, check, slog.New(slog.NewTextHandler(&p.log, nil))); err != nil {
		t.Fatal(err)
	}
	p.door = &door{newLogins(), p.users}
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
	err := p.check(p.t.Context(), user, "secret", "@")
	if (err == nil) != want || err != nil && !errors.Is(err, ErrWrong) {
		p.t.Errorf("%s: got %v", user, err)
	}
}

// logged returns what has been logged since the last call.
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

		// A removed user is locked out at the next check, even if verified before.
		p.write(bobSecret)
		p.verifies("ann", true)
		time.Sleep(checkEvery)
		p.verifies("ann", false)
		p.verifies("bob", true)
		if got := p.logged(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=INFO msg="the users have been read again"`) || !strings.Contains(got, "users=1") {
			t.Errorf("logged %s", got)
		}

		// A user whose password was changed is also refused.
		p.write(annSecret + bobSecret)
		time.Sleep(checkEvery)
		p.verifies("ann", true)
		p.write(annOther + bobSecret)
		time.Sleep(checkEvery)
		p.verifies("ann", false)
		p.verifies("bob", true)
	})
}

// TestRereadBad checks that exactly the users with a good line can log in, whatever happens
// to the file.
func TestRereadBad(t *testing.T) {
	for _, tt := range []struct {
		name     string
		do       func(p *passwd) error
		ann, bob bool
		says     []string // expected in the log, each in its own line
	}{
		{"empty", func(p *passwd) error { return os.WriteFile(p.name, nil, 0o600) }, false, false, []string{"no user can log in", "it lists no users"}},
		{"comments", func(p *passwd) error { return os.WriteFile(p.name, []byte("# "+annSecret+"\n\n#"+bobSecret), 0o600) }, false, false, []string{"no user can log in"}},
		{"deleted", func(p *passwd) error { return os.Remove(p.name) }, false, false, []string{"no user can log in", "no such file"}},
		{"its directory is deleted", func(p *passwd) error { return os.RemoveAll(filepath.Dir(p.name)) }, false, false, []string{"no such file"}},
		{"a directory", func(p *passwd) error { return errors.Join(os.Remove(p.name), os.Mkdir(p.name, 0o700)) }, false, false, []string{"not a regular file"}},
		{"a link that leads nowhere", func(p *passwd) error { return errors.Join(os.Remove(p.name), os.Symlink("none", p.name)) }, false, false, []string{"no such file"}},
		{"ann's line is damaged", func(p *passwd) error { return os.WriteFile(p.name, []byte("ann:s3cret\n"+bobSecret), 0o600) }, false, true, []string{`users:1: user \"ann\": `}},
		{"a line without a colon", func(p *passwd) error { return os.WriteFile(p.name, []byte(bobSecret+"s3cret"), 0o600) }, false, true, []string{"users:2: "}},
		{"two damaged lines", func(p *passwd) error { return os.WriteFile(p.name, []byte("ann:x\n"+bobSecret+"zoë"), 0o600) }, false, true, []string{"users:1: ", "users:3: "}},
		{"ann has two lines", func(p *passwd) error { return os.WriteFile(p.name, []byte(annSecret+bobSecret+annSecret), 0o600) }, false, true, []string{"users:3: "}},
		{"all lines are damaged", func(p *passwd) error { return os.WriteFile(p.name, []byte("ann:x\nbob:x"), 0o600) }, false, false, []string{"users:1: ", "users:2: ", "no user can log in"}},
		{"too long", func(p *passwd) error { return os.Truncate(p.name, maxFile+1) }, true, true, []string{"the users stay as they were", "larger than 16 MiB"}},
		{"must not be used", func(p *passwd) error {
			p.forbidden.Store(true)
			return os.WriteFile(p.name, []byte(bobSecret), 0o600)
		}, true, true, []string{"the users stay as they were", "forbidden"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPasswd(t, annSecret+bobSecret)
				p.verifies("ann", true)
				p.verifies("bob", true)
				if err := tt.do(p); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					time.Sleep(time.Minute)
					p.verifies("ann", tt.ann)
					p.verifies("bob", tt.bob)
				}
				// Each error is logged once.
				got := p.logged()
				for _, says := range tt.says {
					if strings.Count(got, says) != 1 {
						t.Errorf("logged %s, want %s", got, says)
					}
				}
				if !strings.Contains(got, "level=ERROR") || strings.Count(got, "read again") > 1 || strings.Contains(got, "s3cret") {
					t.Errorf("logged %s", got)
				}
				// Ann's verification doesn't come back with her line.
				p.forbidden.Store(false)
				if err := errors.Join(os.RemoveAll(p.name), os.MkdirAll(filepath.Dir(p.name), 0o700)); err != nil {
					t.Fatal(err)
				}
				p.write(annSecret)
				time.Sleep(checkEvery)
				if v, ok := p.remembered("ann", "secret"); ok != tt.ann {
					t.Errorf("of ann is remembered %v", v)
				}
				p.verifies("ann", true)
				p.verifies("bob", false)
			})
		})
	}
}

// TestRemovedWhileHashing checks that a user who is removed during the login doesn't get in.
func TestRemovedWhileHashing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret+bobSecret)
		release := busy(p.gate.listed)
		ended := make(chan error)
		go func() { ended <- p.check(t.Context(), "ann", "secret", remote) }()
		synctest.Wait()
		p.write(bobSecret)
		time.Sleep(checkEvery)
		release()
		if err := <-ended; !errors.Is(err, ErrWrong) {
			t.Errorf("got %v", err)
		}
	})
}

// TestRereadKeeps checks that a verification survives changes to other users.
func TestRereadKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPasswd(t, annSecret)
		p.verifies("ann", true)
		before, ok := p.remembered("ann", "secret")
		p.write(bobSecret + annSecret)
		time.Sleep(checkEvery)
		p.verifies("bob", true)
		if after, _ := p.remembered("ann", "secret"); !ok || after != before {
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
		// Once the file is old enough, it is not read again.
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

// TestRereadByOneSign makes changes that only one of the compared values reveals.
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
	written := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{
		filepath.Join(dir, "none"):        "no such file: create it with htpasswd",
		dir:                               "is not a regular file",
		long:                              "larger than 16 MiB",
		written("empty", ""):              "it lists no users: add one",
		written("comments", "# x"):        "it lists no users: add one",
		written("bad", annSecret+"bob:x"): "bad:2: user \"bob\": ",
	} {
		if _, err := OpenFile(file, nil, nil); err == nil || !strings.HasPrefix(err.Error(), file+":") || !strings.Contains(err.Error(), says) {
			t.Errorf("got error %v, want %s", err, says)
		}
	}
}
