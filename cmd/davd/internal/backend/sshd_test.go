package backend

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sshd is Debian's SSH server on this machine, with keys of its own.
type sshd struct {
	t    *testing.T
	dir  string
	port int
	cmd  *exec.Cmd
}

const sshdProgram = "/usr/sbin/sshd"

func startSSHD(t *testing.T) *sshd {
	t.Helper()
	if _, err := os.Stat(sshdProgram); err != nil {
		t.Fatal("the tests need openssh-server: see make deps")
	}
	s := &sshd{t: t, dir: t.TempDir()}
	for _, name := range []string{"host", "user"} {
		out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.file(name)).CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen: %v %s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of the network "tcp"
	_ = l.Close()
	s.write("authorized_keys", s.read("user.pub"))
	s.write("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", s.port, s.read("host.pub")))
	s.write("sshd_config", fmt.Sprintf(`
Port %d
ListenAddress 127.0.0.1
HostKey %s
PidFile none
AuthorizedKeysFile %s
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`, s.port, s.file("host"), s.file("authorized_keys")))
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *sshd) file(name string) string { return filepath.Join(s.dir, name) }

func (s *sshd) read(name string) string {
	s.t.Helper()
	content, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}

func (s *sshd) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sshd) start() {
	s.t.Helper()
	_ = os.Mkdir("/run/sshd", 0o755) // for its privilege separation, if root runs the test
	s.cmd = exec.Command(sshdProgram, "-D", "-e", "-f", s.file("sshd_config"))
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 100 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatal("sshd doesn't answer")
}

// kill kills the server and the processes of its connections.
func (s *sshd) kill() {
	if s.cmd == nil {
		return
	}
	for _, pid := range descendants(s.cmd.Process.Pid) {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill()
		}
	}
	_ = s.cmd.Wait()
	s.cmd = nil
}

// descendants returns pid and those of all processes below it.
func descendants(pid int) []int {
	all := []int{pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			all = append(all, descendants(n)...)
		}
	}
	return all
}

// url returns the URL of the directory dir.
func (s *sshd) url(dir string) *url.URL {
	s.t.Helper()
	u, err := ParseSFTP(fmt.Sprintf("sftp://127.0.0.1:%d%s?key=%s&known-hosts=%s", s.port, dir, s.file("user"), s.file("known_hosts")))
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// open opens the directory dir.
func (s *sshd) open(t *testing.T, dir string) *SFTP {
	t.Helper()
	fsys, err := OpenSFTP(t.Context(), s.url(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}
