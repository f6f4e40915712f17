package litmus

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A labProxy is a row of the matrix of proxies. Each proxy runs between curl and davd.
type labProxy struct {
	name    string
	needs   []string
	version versionOf
	// config is its configuration. config and argv can contain $dir, $port, $upstream (the
	// port of davd), $timeout (for davd's answer, in seconds) and $config (the file name).
	config string
	argv   []string
	// auto, asked, always and declared are the expected beginnings of its cells: in the mode
	// auto if curl does not ask for interim responses and if it does, in the mode always, and
	// with the additional flags davd.
	auto, asked, always, declared string
	davd                          []string
	// timeout is "yes" if 102 responses restart its time-out.
	timeout string
	// origin says which URLs lead through it if davd trusts it (see originCell).
	origin string
	// http2 says that it uses HTTPS and HTTP/2 with curl.
	http2 bool
	// late says that it notices its time-out some seconds too late.
	late  bool
	quick bool // runs without -lab as well
}

// TestProxies is the matrix of proxies.
func TestProxies(t *testing.T) {
	t.Parallel()
	for _, p := range labProxies {
		if !p.quick && !*wholeLab {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if err := missing(p.needs); err != nil {
				matrix.missing(p.name, err)
				summary.skip(t, p.name, err)
			}
			matrix.note(p.name, "version", p.version(t))
			p.columns(t)
		})
	}
}

func (p labProxy) columns(t *testing.T) {
	t.Helper()
	auto, always := interimFlags("auto", labEvery), interimFlags("always", labEvery)
	base := labCase{row: p.name, timeout: labPatience, front: p.front(2 * labPatience)}
	for _, cell := range []struct {
		column, want string
		flags        []string
	}{
		{"auto", p.auto, auto},
		{"always", p.always, always},
		{"declared", p.declared, append(auto, p.davd...)},
	} {
		if cell.column == "declared" && p.davd == nil {
			continue
		}
		t.Run(cell.column, func(t *testing.T) {
			t.Parallel()
			c := base
			c.column, c.flags = cell.column, cell.flags
			if cell.column == "declared" {
				c.remark = "`" + strings.Join(p.davd, " ") + "`: "
			}
			p.check(t, c, cell.want)
		})
	}
	t.Run("asked", func(t *testing.T) {
		t.Parallel()
		asked := base
		asked.column, asked.flags, asked.ask = "asked", auto, true
		// A client that asks gets at most one per second.
		asked.latency, asked.steps = labSlow, []string{"COPY", "GET", "DELETE", "GET"}
		p.check(t, asked, p.asked)
	})
	t.Run("origin", func(t *testing.T) {
		t.Parallel()
		got := p.originCell(t)
		matrix.note(p.name, "origin", got)
		if got != p.origin {
			t.Errorf("through it lead %q, want %q", got, p.origin)
		}
	})
	t.Run("time-out", func(t *testing.T) {
		t.Parallel()
		if p.timeout == labNone {
			matrix.note(p.name, "timeout", labNone)
			return
		}
		late := base
		late.column, late.flags, late.steps = "timeout", []string{"--interim", "never"}, []string{"COPY"}
		late.front, late.run = p.front(labTimeout), p.curl(new(int))
		if p.late {
			late.latency = labSlow
		}
		if got := late.play(t); got == labWithout {
			t.Fatalf("it waits longer than %v without 102", labTimeout)
		}
		late.flags, late.ask = auto, true
		if p.declared == labWith {
			late.flags = slices.Concat(auto, p.davd)
		}
		got := "no"
		if late.play(t) == labWith {
			got = "yes"
		}
		matrix.note(p.name, "timeout", got)
		if got != p.timeout {
			t.Errorf("outlives its time-out: %s, want %s", got, p.timeout)
		}
	})
}

// labSwallowed is the cell of a proxy that drops interim responses.
const labSwallowed = "right, 102 swallowed"

// check runs c and adds its cell to the matrix. The cell must begin with want.
func (p labProxy) check(t *testing.T, c labCase, want string) {
	t.Helper()
	received := 0
	c.run = p.curl(&received)
	got := c.play(t)
	if strings.HasPrefix(got, labWith) && received == 0 {
		got = labSwallowed
	}
	matrix.note(c.row, c.column, c.remark+got)
	if want == "" || !strings.HasPrefix(got, want) {
		t.Errorf("%s, %s: %q, want %q", c.row, c.column, got, want)
	}
}

// curl runs one curl and counts the interim responses that it receives. With HTTP/2, it must use
// one connection for all steps.
func (p labProxy) curl(received *int) labProgram {
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		options := []string{"--http1.1"}
		if p.http2 {
			options, r.proxied = []string{"--http2", "--insecure"}, false
		}
		lines := curlSteps(append(options, "--dump-header", filepath.Join(r.dir, "head$step"))...)(t, r)
		for i := range r.steps {
			head, _ := os.ReadFile(filepath.Join(r.dir, "head"+strconv.Itoa(i))) // may not exist
			for _, match := range headLine.FindAllStringSubmatch(string(head), -1) {
				if match[2] == "102" {
					*received++
				}
				if p.http2 && match[1] != "2" {
					t.Errorf("a response has HTTP/%s", match[1])
				}
			}
		}
		return lines
	}
}

var headLine = regexp.MustCompile(`(?m)^HTTP/([0-9.]+) (\d+)`)

// front returns a function that starts p in front of upstream, with this time-out, and returns the
// URL of p.
func (p labProxy) front(timeout time.Duration) func(t *testing.T, upstream string) string {
	return func(t *testing.T, upstream string) string {
		t.Helper()
		dir, port := publicDir(t), freePort(t)
		_, upstreamPort, _ := strings.Cut(upstream, ":")
		scheme, file := "http", filepath.Join(dir, "config")
		if p.http2 {
			scheme = "https"
			writeCertificate(t, dir)
		}
		place := strings.NewReplacer("$dir", dir, "$port", port, "$upstream", upstreamPort,
			"$timeout", seconds(timeout), "$config", file).Replace
		if err := os.WriteFile(file, []byte(place(p.config)), 0o644); err != nil {
			t.Fatal(err)
		}
		var argv []string
		for _, arg := range p.argv {
			argv = append(argv, place(arg))
		}
		background(t, dir, argv[0], argv[1:]...)
		awaitPort(t, port)
		return scheme + "://127.0.0.1:" + port
	}
}

// writeCertificate creates cert.pem and key.pem in dir, and both.pem with the content of both.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	selfSigned(t, dir)
	certificate, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "both.pem"), slices.Concat(certificate, key), 0o600); err != nil {
		t.Fatal(err)
	}
}
