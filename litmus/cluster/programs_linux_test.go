package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// longestProgram is how long a program may take before it is killed.
const longestProgram = 30 * time.Second

// programs are real clients, as background load: curl, cadaver, rclone and davfs2. They may fail. But
// what they have stored with success must exist at the end.
type programs struct {
	home       string // scratch directory
	mount      string // where davfs2 is mounted
	davfsGroup int

	mu     sync.Mutex
	stored map[string]string // the content of files by name in the share
	runs   map[string]int
	said   map[string]string // what the program wrote that failed last
}

// newPrograms prepares the programs. They work below /programs.
func newPrograms(t *testing.T, s *site) *programs {
	t.Helper()
	p := &programs{home: t.TempDir(), mount: t.TempDir(), stored: map[string]string{}, runs: map[string]int{}, said: map[string]string{}}
	s.plant(t, map[string]string{"programs/.keep": ""})
	group, err := user.LookupGroup("davfs2")
	if err != nil {
		t.Fatalf("davfs2 is missing: run .ci/deps (%v)", err)
	}
	if p.davfsGroup, err = strconv.Atoi(group.Gid); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{p.home, filepath.Dir(p.home)} { // davfs2 runs as another user.
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	netrc := fmt.Sprintf("machine 127.0.0.1 login %s password %s\n", userName, password)
	if err := os.WriteFile(filepath.Join(p.home, ".netrc"), []byte(netrc), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a program, with script as its input. It reports whether the program ended with success.
func (p *programs) run(script, name string, args ...string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), longestProgram)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin = p.home, strings.NewReader(script)
	cmd.Env = append(os.Environ(), "HOME="+p.home, "RCLONE_CONFIG="+filepath.Join(p.home, "rclone.conf"))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs[filepath.Base(name)]++
	if err != nil {
		p.runs[filepath.Base(name)+" failed"]++
		p.said[filepath.Base(name)] = fmt.Sprintf("%v: %.500s", err, out)
	}
	return err == nil
}

// keep notes that a program has stored files.
func (p *programs) keep(names []string, content string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		p.stored[name] = content
	}
}

// loop calls each until stop is closed.
func (p *programs) loop(stop <-chan struct{}, each func(round int)) {
	for round := 0; ; round++ {
		select {
		case <-stop:
			return
		case <-time.After(300 * time.Millisecond):
			each(round)
		}
	}
}

const base = "http://" + balancerAddress + "/programs"

// curl uploads a file.
func (p *programs) curl(round int) {
	name, text := fmt.Sprintf("curl-%d", round), fmt.Sprintf("curl %d\n", round)
	file := filepath.Join(p.home, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return
	}
	if p.run("", "curl", "-nsSf", "--max-time", "20", "--retry", "3", "--retry-all-errors", "-T", file, base+"/"+name) {
		p.keep([]string{"programs/" + name}, text)
	}
}

// cadaver runs a session.
func (p *programs) cadaver(round int) {
	dir := fmt.Sprintf("cadaver-%d", round)
	file := filepath.Join(p.home, "cadaver.txt")
	if err := os.WriteFile(file, []byte("cadaver\n"), 0o600); err != nil {
		return
	}
	p.run(fmt.Sprintf("mkcol %[1]s\ncd %[1]s\nput %[2]s a\ncopy a b\nlock b\nput %[2]s b\nunlock b\nmove a c\nls\ncd ..\ncopy %[1]s %[1]s-copy\ndelete %[1]s/c\nquit\n",
		dir, file), "cadaver", base+"/")
}

// rclone copies a tree.
func (p *programs) rclone(round int) {
	dir := fmt.Sprintf("rclone-%d", round)
	var names []string
	text := fmt.Sprintf("rclone %d\n", round)
	for i := range 6 {
		name := fmt.Sprintf("%s/%d/%d", dir, i/3, i)
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(p.home, name)), 0o700), os.WriteFile(filepath.Join(p.home, name), []byte(text), 0o600)); err != nil {
			return
		}
		names = append(names, "programs/"+name)
	}
	flags := []string{"--webdav-url", base, "--webdav-user", userName, "--webdav-pass", obscured, "--retries", "5", "--timeout", "20s", "--contimeout", "5s"}
	if p.run("", "rclone", append([]string{"copy", filepath.Join(p.home, dir), ":webdav:" + dir}, flags...)...) {
		p.keep(names, text)
	}
}

// obscured is the password as rclone's command line wants it: rclone obscure secret.
const obscured = "u08N_a5XeefpMn2a6RVe5aeAJsCfEw"

// davfs mounts the share, writes files and unmounts it, which waits until they are uploaded.
func (p *programs) davfs(round int) {
	config, secrets := filepath.Join(p.home, "davfs2.conf"), filepath.Join(p.home, "secrets")
	cache := filepath.Join(p.home, "davfs2")
	err := errors.Join(
		os.MkdirAll(cache, 0o775),
		os.Chown(cache, -1, p.davfsGroup),
		os.Chmod(cache, 0o775),
		os.WriteFile(secrets, []byte(fmt.Sprintf("%s/ %s %s\n", base, userName, password)), 0o600),
		os.WriteFile(config, []byte(fmt.Sprintf("secrets %s\ncache_dir %s\nuse_locks 1\ndelay_upload 0\nask_auth 0\nmin_propset 0\nretry 1\nmax_retry 5\n", secrets, cache)), 0o600),
	)
	if err != nil || !p.run("", "mount", "-t", "davfs", "-o", "conf="+config+",uid=0", base+"/", p.mount) {
		return
	}
	name := fmt.Sprintf("davfs-%d", round)
	_ = os.WriteFile(filepath.Join(p.mount, name), []byte(name), 0o600)
	_, _ = os.ReadFile(filepath.Join(p.mount, name))
	if !p.run("", "umount", p.mount) {
		p.run("", "umount", "-l", p.mount)
	}
}

// clients runs all programs until stop is closed. davfs2 takes part only in the long form: its
// mounts of servers that are away keep those of other tests from ending.
func (p *programs) clients(stop <-chan struct{}) {
	programs := []func(round int){p.curl, p.cadaver, p.rclone}
	if os.Getenv("DAVD_CHAOS") != "" {
		programs = append(programs, p.davfs)
	}
	var all sync.WaitGroup
	for _, each := range programs {
		all.Go(func() { p.loop(stop, each) })
	}
	all.Wait()
}

// check returns an error for each stored file that is not in the share.
func (p *programs) check(s *site) (errs []error) {
	for name, want := range p.stored {
		got, err := s.storage.read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, fmt.Errorf("%s was stored, and is missing", name))
		case err != nil:
			errs = append(errs, err)
		case got != want:
			errs = append(errs, fmt.Errorf("%s was stored, and contains %q", name, got))
		}
	}
	return errs
}
