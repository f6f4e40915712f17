package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server in a temporary directory, with a Unix socket alone.
type Server struct {
	dir      string
	as       *syscall.SysProcAttr // who runs the server, which refuses root
	settings []string
	process  *guarded // nil while the server is stopped
}

// Start starts a server for one test, which writes durably. settings are configuration
// parameters, such as "max_connections=20".
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s, err := start(settings...)
	if err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	tb.Cleanup(func() {
		s.Stop(tb)
		if err := os.RemoveAll(s.dir); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// start makes a directory with an empty cluster and starts a server there.
func start(settings ...string) (*Server, error) {
	as, own, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := SocketDir("davd-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, as: as, settings: settings}
	if err := errors.Join(own(dir), s.initialize(), s.run()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// SocketDir makes a new directory for Unix sockets. Their paths have at most 107 bytes, so it is in
// /tmp, or in TMPDIR where /tmp is read-only.
func SocketDir(pattern string) (string, error) { return tempDir(pattern, "/tmp", os.TempDir()) }

// tempDir makes a directory in the first of parents that can have one.
func tempDir(pattern string, parents ...string) (dir string, err error) {
	for _, parent := range parents {
		if dir, err = os.MkdirTemp(parent, pattern); err == nil {
			break
		}
	}
	return dir, err
}

func (s *Server) initialize() error {
	initdb, err := program("initdb")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, initdb, "--pgdata", s.data(), "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.SysProcAttr, cmd.Dir = s.as, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run starts the server and waits until it answers.
func (s *Server) run() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	args := []string{postgres, "-D", s.data(), "-k", s.dir, "-p", strconv.Itoa(port), "-h", ""}
	for _, setting := range append([]string{"max_connections=200", "shared_buffers=32MB", "log_min_messages=fatal"}, s.settings...) {
		args = append(args, "-c", setting)
	}
	s.process, err = guard(s.as, s.dir, "QUIT", args...)
	if err != nil {
		return err
	}
	return s.process.until(func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}

// Stop stops the server like an immediate shutdown, if it runs.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.end(); err != nil {
		tb.Errorf("PostgreSQL for tests: %v", err)
	}
	s.process = nil
}

// Restart stops the server, if it runs, and starts it again.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Stop(tb)
	if err := s.run(); err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
}

// program returns the path of a program of PostgreSQL.
func program(name string) (string, error) {
	// Debian has the programs of each version in a directory of its own.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err == nil && len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: install Debian's package postgresql (.ci/deps does it)", err)
	}
	return path, nil
}

// guarded is a program that ends with this process, however this process ends.
type guarded struct {
	cmd  *exec.Cmd
	hold io.Closer // the program runs until this is closed
	log  string
	done chan struct{}
}

// script runs a program until standard input ends, and stops it with a signal. Without the
// line "end", it removes the directory as well.
const script = `dir=$1 signal=$2; shift 2
"$@" </dev/null >"$dir/log" 2>&1 &
read -r end
kill -"$signal" $!
wait $!
[ "$end" ] || rm -rf "$dir"`

// guard starts a program as another user. signal stops it at once.
func guard(as *syscall.SysProcAttr, dir, signal string, args ...string) (*guarded, error) {
	//nolint:noctx // tests run it, and it ends with them
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "guard", dir, signal}, args...)...)
	cmd.SysProcAttr, cmd.Dir = as, dir
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &guarded{cmd: cmd, hold: hold, log: filepath.Join(dir, "log"), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // Its log tells more than the status.
		close(g.done)
	}()
	return g, nil
}

// until waits until answers returns nil.
func (g *guarded) until(answers func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-g.done:
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
			continue
		}
		log, _ := os.ReadFile(g.log) // It is only information.
		return errors.Join(fmt.Errorf("%s does not start: %w\n%s", g.cmd.Args[6], err, log), g.end())
	}
}

// end stops the program at once, and leaves its directory.
func (g *guarded) end() error {
	if w, ok := g.hold.(io.Writer); ok {
		_, _ = io.WriteString(w, "end\n") // It may have ended already.
	}
	_ = g.hold.Close()
	select {
	case <-g.done:
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s does not stop", g.cmd.Args[6]), g.cmd.Process.Kill())
	}
}
