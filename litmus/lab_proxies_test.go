package litmus

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A labProxy is a row of the matrix of proxies, each with curl before it and
// davd behind it.
type labProxy struct {
	name    string
	needs   []string
	version versionOf
	// config is its configuration. In it and in argv stand $dir, $port,
	// $upstream (a port), $timeout (for the upstream's answer, in seconds) and
	// $config (the file).
	config string
	argv   []string
	// auto, asked, always and declared are what its cells begin with: curl
	// does not ask; it asks; the mode always; and with the flags davd.
	auto, asked, always, declared string
	davd                          []string
	// timeout is "yes" where 102 let an operation outlive the time-out.
	timeout string
	// late: it notices its time-out some seconds late.
	late  bool
	quick bool
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
	base := labCase{row: p.name, timeout: labPatience, front: p.front(2 * labPatience), run: curlSteps("--http1.1")}
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
			c.check(t, cell.want)
		})
	}
	t.Run("asked", func(t *testing.T) {
		t.Parallel()
		asked := base
		asked.column, asked.flags, asked.ask = "asked", auto, true
		// There is at most one a second then.
		asked.latency, asked.steps = labSlow, []string{"COPY", "GET", "DELETE", "GET"}
		asked.check(t, p.asked)
	})
	t.Run("time-out", func(t *testing.T) {
		t.Parallel()
		if p.timeout == labNone {
			matrix.note(p.name, "timeout", labNone)
			return
		}
		late := base
		late.column, late.flags, late.steps = "timeout", []string{"--interim", "never"}, []string{"COPY"}
		late.front = p.front(labTimeout)
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

// front starts p before an upstream, with that time-out, and returns its URL.
func (p labProxy) front(timeout time.Duration) func(t *testing.T, upstream string) string {
	return func(t *testing.T, upstream string) string {
		t.Helper()
		dir, port := publicDir(t), freePort(t)
		_, upstreamPort, _ := strings.Cut(upstream, ":")
		file := filepath.Join(dir, "config")
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
		return "http://127.0.0.1:" + port
	}
}
