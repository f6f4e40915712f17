package s3test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// patience is how long a server may take to start or to stop.
	patience = time.Minute
	// buildPatience is how long the download and the compilation of the server may take.
	buildPatience = 8 * time.Minute
)

// program builds the server and returns its path in Go's build cache.
var program = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the directory of the source is unknown")
	}
	dir := filepath.Join(filepath.Dir(here), "gateway")
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("the tests must run where they were compiled, without -trimpath: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "gateway")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go tool -n gateway, in %s: %w\n%s", dir, err, &failed)
	}
	return strings.TrimSpace(string(out)), nil
})

// Server is an S3 server with objects in a temporary directory. It listens on a loopback address.
type Server struct {
	// Endpoint is its URL.
	Endpoint string
	dir      string
	address  string
	process  *process // nil while the server is stopped
}

// process is a server that ends with this process, however this process ends.
type process struct {
	hold io.Closer // the server runs until this is closed
	kill func() error
	done chan struct{}
	// ended says how it has ended, after done is closed.
	ended error
}

// Launch starts a server. The caller must close it.
func Launch() (*Server, error) { return launch(false) }

func launch(forget bool) (*Server, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "davd-s3-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	for range 5 { // Another process can take the port in between.
		if s.address, err = freeAddress(); err != nil {
			break
		}
		s.Endpoint = "http://" + s.address
		if err = s.run(path, forget); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// run starts the server and waits until it answers. With forget, its directory is removed when it
// ends.
func (s *Server) run(path string, forget bool) error {
	//nolint:noctx // tests run it, and it ends with them
	cmd := exec.Command(path, "-dir", filepath.Join(s.dir, "buckets"), "-address", s.address,
		"-access", AccessKey, "-secret", SecretKey)
	if forget {
		cmd.Args = append(cmd.Args, "-remove", s.dir)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, s.dir
	hold, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{hold: hold, done: make(chan struct{}), kill: cmd.Process.Kill}
	go func() {
		p.ended = cmd.Wait()
		close(p.done)
	}()
	s.process = p
	return s.untilReady()
}

// untilReady waits until the server answers.
func (s *Server) untilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.done:
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
			continue
		}
		return errors.Join(fmt.Errorf("the S3 server does not start: %w%s", err, s.log()), s.stop())
	}
}

// log says how the server has ended, and what it has logged.
func (s *Server) log() string {
	text := ""
	select {
	case <-s.process.done:
		text = fmt.Sprintf("\nit has ended: %v", s.process.ended)
	default:
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // It is only information.
	return fmt.Sprintf("%s\n%s", text, log)
}

func (s *Server) answers(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/health", http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// stop stops the server, if it runs.
func (s *Server) stop() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	_ = p.hold.Close()
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("the S3 server does not stop"), p.kill())
	}
}

// Close stops the server and removes its objects.
func (s *Server) Close() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

// Stop stops the server, if it runs.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.stop(); err != nil {
		tb.Error(err)
	}
}

// Restart stops the server, if it runs, and starts it again at the same address.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Stop(tb)
	path, err := program()
	if err == nil {
		err = s.run(path, false)
	}
	if err != nil {
		tb.Fatalf("S3 server for tests: %v", err)
	}
}
