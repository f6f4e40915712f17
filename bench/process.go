package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 15 * time.Second
)

// process is the process of a running server.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // the file with its output
	done chan struct{}
}

// start runs argv as the servers' user, in a new process group, with its files in dir.
func start(p *place, name, dir string, argv []string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, "output"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...) //nolint:gosec // a server, which stop ends
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + searchPath(), "HOME=" + dir, "TMPDIR=" + dir}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(p.owner)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &process{name: name, cmd: cmd, log: log.Name(), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ended reports the error
		close(s.done)
	}()
	return s, nil
}

func (s *process) pid() int { return s.cmd.Process.Pid }

// ended returns an error if the process has ended.
func (s *process) ended() error {
	select {
	case <-s.done:
		text, _ := os.ReadFile(s.log)
		text = bytes.TrimSpace(text)
		return fmt.Errorf("%s has ended (%v): %s", s.name, s.cmd.ProcessState, text[max(0, len(text)-1000):])
	default:
		return nil
	}
}

// await waits until addr accepts connections.
func (s *process) await(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err := s.ended(); err != nil {
			return err
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not accept connections at %s: %w", s.name, addr, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends the process and its children.
func (s *process) stop() error {
	_ = terminate(s.cmd.Process) // it may have ended already
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-s.done:
		killGroup(s.pid())
		return nil
	case <-timer.C:
		killGroup(s.pid())
		return fmt.Errorf("%s did not end within %v, and was killed", s.name, stopTimeout)
	}
}

// freeAddr returns a loopback address with a free port.
func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// searchPath returns PATH with the directories of root's programs, which other users may not have
// in it.
func searchPath() string { return os.Getenv("PATH") + ":/usr/sbin:/sbin" }

// output runs a program and returns its output.
func output(ctx context.Context, name string, args ...string) (string, error) {
	path, err := lookPath(name)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // named in this package
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, bytes.TrimSpace(text))
	}
	return string(text), nil
}

// lookPath is exec.LookPath with searchPath.
func lookPath(name string) (string, error) {
	if filepath.IsAbs(name) {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(searchPath()) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: errors.New("not found in PATH, /usr/sbin and /sbin")}
}
