package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// flooded is a davd that a test floods.
type flooded struct {
	*process
	dir string
	// attackers is how many addresses an attack comes from; 0 means one.
	attackers int
}

// servedWithin limits how long davd may take to answer. It takes milliseconds when it is alone on
// the machine. An attack that kept other clients out would do so for the stall timeout, which is
// two minutes.
const servedWithin = time.Minute

// serveFlooded starts a davd with flags that serves a directory with the file f.
func serveFlooded(t *testing.T, flags ...string) *flooded {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--state", "mem"}, flags...)
	return &flooded{process: startDavd(t, append(args, dir)...), dir: dir}
}

// dial connects from an address in 127.0.0.0/8 that ends in host. The kernel chooses the port when
// it connects. If it did so before, it would search for a port that no connection to any server
// uses, which takes a millisecond after other floods.
func (s *flooded) dial(host byte) net.Conn {
	s.Helper()
	dialer := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, host)},
		Control: func(_, _ string, raw syscall.RawConn) error {
			var err error
			failed := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
			})
			return errors.Join(failed, err)
		},
	}
	conn, err := dialer.DialContext(s.Context(), "tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

// attack opens n connections and sends text on each.
func (s *flooded) attack(n int, text []byte) []net.Conn {
	s.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = s.dial(byte(1 + 2*(i%max(s.attackers, 1)))) // odd numbers: another client has 2
	}
	var sending sync.WaitGroup
	for part := range 8 {
		sending.Go(func() {
			for i := part; i < n; i += 8 {
				_ = conns[i].SetWriteDeadline(time.Now().Add(servedWithin))
				_, _ = conns[i].Write(text) // davd may have answered already
			}
		})
	}
	sending.Wait()
	return conns
}

// served makes another client put and list a file, and returns how long that took. Each request has a
// connection of its own, because davd closes connections when most places are taken.
func (s *flooded) served(header ...string) time.Duration {
	s.Helper()
	start := time.Now()
	lines := strings.Join(append(header, ""), "\r\n")
	find := `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
	for _, request := range []string{
		"PUT /other HTTP/1.1\r\nHost: localhost\r\n" + lines + "Content-Length: 5\r\n\r\nhello",
		fmt.Sprintf("PROPFIND /other HTTP/1.1\r\nHost: localhost\r\nDepth: 0\r\n%sContent-Length: %d\r\n\r\n%s", lines, len(find), find),
	} {
		s.ask(start, request)
	}
	return time.Since(start)
}

// ask sends a request that must succeed within servedWithin of start.
func (s *flooded) ask(start time.Time, request string) {
	s.Helper()
	conn := s.dial(2)
	defer conn.Close()
	if strings.HasPrefix(s.url, "https:") {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	_ = conn.SetDeadline(start.Add(servedWithin))
	if _, err := io.WriteString(conn, request); err != nil {
		s.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode/100 != 2 {
		s.Errorf("another client gets %s, %v", answer.Status, err)
	}
}

// bounds checks that davd needs at most this memory, in MiB, and that another client is served.
func (s *flooded) bounds(most int, header ...string) {
	s.Helper()
	took, has := s.served(header...), s.memory("VmRSS")
	s.Logf("%d MiB, and another client is served in %v", has, took.Round(time.Millisecond))
	if has > most*raceMemory {
		s.Errorf("davd has %d MiB in memory, want at most %d", has, most)
	}
}

// TestFloodXML sends XML bodies without their last byte; in a full run, 400 of 1 MB.
func TestFloodXML(t *testing.T) {
	for _, method := range []string{"PROPPATCH", "LOCK"} {
		t.Run(method, func(t *testing.T) {
			s := serveFlooded(t)
			open := `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="y">`
			if method == "LOCK" {
				open = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>`
			}
			body := append([]byte(open), bytes.Repeat([]byte("x"), 1_000_000)...)
			head := fmt.Sprintf("%s /f HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", method, len(body)+1)
			s.attack(sweep.Size(60, 400), append([]byte(head), body...))
			s.bounds(150)
		})
	}
}

// TestFloodStrangers sends requests without a password whose body never arrives; in a full
// run, 1,000. Each must be answered without its body, and its connection closed soon after.
func TestFloodStrangers(t *testing.T) {
	t.Parallel() // It waits most of the time.
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), 0o600); err != nil { // secret
		t.Fatal(err)
	}
	s := serveFlooded(t, "--htpasswd", users)
	const head = "PROPPATCH /f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n<"
	start := time.Now()
	conns := s.attack(sweep.Size(200, 1000), []byte(head))
	s.bounds(150, "Authorization: Basic YW5uOnNlY3JldA==")
	for _, conn := range conns {
		_ = conn.SetDeadline(start.Add(servedWithin))
		in := bufio.NewReader(conn)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%v, %v; want 401", answer, err)
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			t.Fatalf("the connection was not closed: %v", err)
		}
	}
}

// TestFloodUploads starts uploads that announce most of a small disk and send one byte; in a
// full run, 100. They must leave the space to others, and end with a 408.
func TestFloodUploads(t *testing.T) {
	t.Parallel() // It waits most of the time.
	s := serveFlooded(t, "--stall-timeout", "5s")
	small := filepath.Join(s.dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("a tmpfs can't be mounted, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(small, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	conns := make([]net.Conn, sweep.Size(20, 100))
	for i := range conns {
		conns[i] = s.dial(1)
		if _, err := fmt.Fprintf(conns[i], "PUT /small/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\nx", i); err != nil {
			t.Fatal(err)
		}
	}
	s.bounds(150)
	other := s.dial(2)
	const size = 20 << 20
	if _, err := fmt.Fprintf(other, "PUT /small/large HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Write(make([]byte, size)); err != nil {
		t.Error(err)
	}
	for conn, want := range map[net.Conn]int{other: http.StatusCreated, conns[0]: http.StatusRequestTimeout, conns[1]: http.StatusRequestTimeout} {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Minute))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%v, %v; want %d", answer, err, want)
		}
	}
}

// TestFloodConnections checks that ended connections leave little memory in use soon after; in a
// full run, 10,000, or as many as davd has places for.
func TestFloodConnections(t *testing.T) {
	t.Parallel() // It waits most of the time.
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	s := serveFlooded(t)
	// davd has a place for almost every second file that it may open. When all are taken, it closes
	// connections without a request, as those of attack are at first.
	n := min(sweep.Size(5000, 10_000), int(min(files.Cur, 1<<20))/2-100)
	conns := s.attack(n, []byte("PROPFIND /f HTTP/1.1\r\nHost: localhost\r\nDepth: 0\r\n\r\n"))
	for _, conn := range conns {
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d MiB with %d connections", s.memory("VmRSS"), n)
	for _, conn := range conns {
		_ = conn.Close()
	}
	start := time.Now()
	for s.memory("VmRSS") > 80*raceMemory && time.Since(start) < 5*time.Minute {
		time.Sleep(time.Second) // the process has a clock of its own
	}
	t.Logf("%d MiB %v after their end", s.memory("VmRSS"), time.Since(start).Round(time.Second))
	s.bounds(80)
}

// TestFloodWindows has HTTP/2 clients that request much and read nothing; in a full run, 60
// connections, each with as many requests as davd accepts. Each of the 1,000 requests that
// davd serves at a time holds a page of its listing, some 0.2 MiB.
func TestFloodWindows(t *testing.T) {
	for method, most := range map[string]int{"PROPFIND": 400, "GET": 150} {
		t.Run(method, func(t *testing.T) {
			certificate, key := selfSigned(t)
			s := serveFlooded(t, "--tls-cert", certificate, "--tls-key", key)
			for i := range 2000 {
				if err := os.WriteFile(filepath.Join(s.dir, fmt.Sprintf("%0100d", i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Truncate(filepath.Join(s.dir, "f"), 10<<20); err != nil {
				t.Fatal(err)
			}
			target := map[string]string{"PROPFIND": "/", "GET": "/f"}[method]
			streams := 0
			for i := range sweep.Size(6, 60) { // from ten addresses
				streams += s.takeNothing(byte(10+i%10), method, target, 250)
			}
			s.bounds(most)
			t.Logf("%d requests were sent", streams)
		})
	}
}

// takeNothing opens as many streams as the server allows, but at most n, on a connection with
// a window of 0. It returns their number.
func (s *flooded) takeNothing(host byte, method, target string, n int) int {
	s.Helper()
	conn := tls.Client(s.dial(host), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		s.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}); err != nil {
		s.Fatal(err)
	}
	frame, err := framer.ReadFrame()
	settings, ok := frame.(*http2.SettingsFrame)
	if err != nil || !ok {
		s.Fatalf("%v, %v; want settings", frame, err)
	}
	if most, ok := settings.Value(http2.SettingMaxConcurrentStreams); ok {
		n = min(n, int(most))
	}
	for i := range n {
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for _, field := range [][2]string{
			{":method", method}, {":scheme", "https"}, {":authority", s.address}, {":path", target}, {"depth", "1"},
		} {
			if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
				s.Fatal(err)
			}
		}
		header := http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}
		if err := framer.WriteHeaders(header); err != nil {
			s.Fatal(err)
		}
	}
	go func() { // read what davd sends in spite of the window
		for {
			if _, err := framer.ReadFrame(); err != nil {
				return
			}
		}
	}()
	return n
}
