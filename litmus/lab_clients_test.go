package litmus

import (
	"path/filepath"
	"slices"
	"testing"
)

// A labClient is a row of the matrix of clients.
type labClient struct {
	name    string
	needs   []string
	version versionOf
	run     labProgram
	// product is its name in User-Agent, which is needed to lift its cap.
	product string
	// every is the interval in the column always; "" means labEvery.
	every string
	// auto and always are the expected beginnings of these cells. timeout is "yes" if 102
	// responses restart its time-out, "no" if not, and labNone if it has no time-out.
	auto, always, timeout string
	// askTimeout says that it has to ask for interim responses in the column timeout.
	askTimeout bool
	quick      bool // runs without -lab as well
	big, tls   bool
	steps      []string // nil means all
}

// labBin is where make litmus installs programs that the system has no packages for.
var labBin, _ = filepath.Abs("../bin/lab")

// labClients are the programs, and then the libraries.
var labClients = slices.Concat(labProgramRows, labLibraries)

// labProgramRows are the programs that people use as they are.
var labProgramRows = []labClient{
	{
		name: "curl, HTTP/1.1", needs: []string{"curl"}, version: printed("curl", "--version"), product: "curl",
		run: curlSteps("--http1.1"), auto: labWith, always: labWith, timeout: "no", quick: true,
	},
	{
		name: "curl, HTTP/2", needs: []string{"curl"}, version: printed("curl", "--version"), product: "curl",
		run: curlSteps("--http2", "--insecure"), tls: true, auto: labWith, always: labWith, timeout: "no", quick: true,
	},
	{
		name: "cadaver (neon before 0.33)", needs: []string{"cadaver"}, version: printed("cadaver", "--version"), product: "neon",
		run: cadaverSession, every: "10ms", auto: labWith, always: labFails + "COPY Too many interim responses", timeout: labNone, quick: true,
	},
	{
		name: "GVfs (gio; it has no DELETE of a tree)", needs: []string{"gio", "dbus-run-session", "/usr/lib/gvfs/gvfsd-dav"}, version: packaged("gvfs"), product: "gvfs",
		run: gioSteps, big: true, steps: gioCan, auto: labWith, always: labWith, timeout: labNone,
	},
	{
		name: "rclone of Debian 12", needs: []string{"/usr/bin/rclone"}, version: printed("/usr/bin/rclone", "version"), product: "rclone",
		run: rcloneSteps("/usr/bin/rclone"), big: true, auto: labWith, always: labFails + "PROPFIND too many 1xx informational responses", timeout: "no",
	},
	{
		name: "rclone, newest", needs: []string{filepath.Join(labBin, "rclone")}, version: printed(filepath.Join(labBin, "rclone"), "version"), product: "rclone",
		run: rcloneSteps(filepath.Join(labBin, "rclone")), big: true, auto: labWith, always: labWith, timeout: "no",
	},
	{
		name: "Chromium fetch", needs: []string{chromium, "node", npmPuppeteer}, version: printed(chromium, "--version"), product: "Chrome",
		run: browserSteps("chrome", chromium), auto: labWithout, always: labWith, timeout: "no", askTimeout: true,
	},
	{
		name: "Firefox fetch", needs: []string{firefox, "node", npmPuppeteer}, version: printed(firefox, "--version"), product: "Firefox",
		run: browserSteps("firefox", firefox), auto: labWithout, always: labWith, timeout: "no", askTimeout: true,
	},
	{
		name: "wget", needs: []string{"wget"}, version: printed("wget", "--version"), product: "Wget",
		run: wgetSteps, auto: labWithout, always: labWith, timeout: "yes", askTimeout: true,
	},
}

// TestClients is the matrix of clients. Each client does the same steps with davd in the mode
// auto, in the mode always without a cap, and with a time-out shorter than the operation.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, c := range labClients {
		if !c.quick && !*wholeLab {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := missing(c.needs); err != nil {
				matrix.missing(c.name, err)
				summary.skip(t, c.name, err)
			}
			matrix.note(c.name, "version", c.version(t))
			c.columns(t)
		})
	}
}

func (c labClient) columns(t *testing.T) {
	t.Helper()
	base := labCase{row: c.name, run: c.run, big: c.big, tls: c.tls, steps: c.steps, timeout: labPatience}
	if c.big {
		base.latency = "130ms" // a file takes fewer calls than a collection
	}
	t.Run("auto", func(t *testing.T) {
		t.Parallel()
		auto := base
		auto.column, auto.flags = "auto", interimFlags("auto", labEvery)
		auto.check(t, c.auto)
	})
	t.Run("always", func(t *testing.T) {
		t.Parallel()
		always := base
		always.column, always.flags = "always", interimFlags("always", c.every)
		if c.product != "" {
			always.flags = append(always.flags, "--interim-client", c.product+"=1000")
		}
		always.check(t, c.always)
	})
	t.Run("time-out", func(t *testing.T) {
		t.Parallel()
		if c.timeout == labNone {
			matrix.note(c.name, "timeout", labNone)
			return
		}
		late := base
		late.timeout, late.steps = labTimeout, []string{"COPY"}
		late.flags = []string{"--interim", "never"}
		if got := late.play(t); got == labWithout {
			t.Fatalf("it waits longer than %v without 102", labTimeout)
		}
		late.flags, late.ask = interimFlags("auto", labEvery), c.askTimeout
		got := "no"
		if late.play(t) == labWith {
			got = "yes"
		}
		matrix.note(c.name, "timeout", got)
		if got != c.timeout {
			t.Errorf("outlives its time-out: %s, want %s", got, c.timeout)
		}
	})
}

// interimFlags returns the flags of davd for the pace of the lab.
func interimFlags(mode, every string) []string {
	if every == "" {
		every = labEvery
	}
	return []string{"--interim", mode, "--interim-after", labAfter, "--interim-every", every}
}
