package litmus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// These tests depend on the following behaviour, observed with davfs2 1.6.1 and neon 0.32.5:
//
//   - If the server sends nothing during the read time-out, davfs2 gives up. Then mv says
//     "Input/output error", rm says "Resource temporarily unavailable", and files in a
//     collection that could not be listed in time don't exist. A 102 restarts the time-out.
//   - davfs2 lists a collection with PROPFIND and Depth 1 when a process looks up something in
//     it. For a minute (dir_refresh), it relies on what it has listed or created itself.
//   - On newer kernels, a process can't list a directory of the mount (getdents: EINVAL),
//     whatever the server is. So the tests name files by their paths. rm -r can't enter a
//     collection that davfs2 knows to have members, and ends with "Directory not empty". If
//     davfs2 created a collection and another client has filled it since, davfs2 believes that
//     it is empty. Then rm -r, like rmdir, becomes one DELETE of the whole collection.
//   - davfs2 never sends COPY. cp -r becomes MKCOL and, for each file, LOCK, HEAD, PUT and
//     UNLOCK, none of which takes long.
//   - A MOVE is one rename(2) on the server unless the destination is on another filesystem.
//     So the tests mount a small filesystem in the share.

const (
	// davfsReadTimeout is how long davfs2 waits for the server.
	davfsReadTimeout = 3 * time.Second
	// davfsTolerance is how much later than davfs2 the proxy may start to measure.
	davfsTolerance = time.Second
	// davfsLatency makes the operations below take more than twice as long.
	davfsLatency = "5ms"
	// davfsMoved is how many files are copied into the mount and then moved, and
	// davfsDeleted how many are deleted.
	davfsMoved, davfsDeleted = 150, 700
	// davfsListed is how many files are listed. Their listing fits in davd's buffer, so
	// that nothing of it is sent before the end.
	davfsListed = 500
	// davfsListLatency makes the listing take longer than the time-out.
	davfsListLatency = "250ms"
)

// davfsProxy is the mode of a davd that sends no interim responses behind davd proxy, which does.
const davfsProxy = "proxy"

// TestDavfs mounts a share with davfs2. Its read time-out is shorter than the operations take,
// so they fail without interim responses, and succeed in davd's default mode.
func TestDavfs(t *testing.T) {
	t.Parallel()
	err := mountPermitted()
	if err == nil {
		err = fuseUsable()
	}
	if err != nil {
		summary.skip(t, "davfs2", err)
	}
	for _, mode := range []string{"never", "auto", davfsProxy} {
		t.Run("interim-"+mode, func(t *testing.T) {
			t.Parallel()
			t.Run("session", func(t *testing.T) {
				t.Parallel()
				testDavfsSession(t, mode)
			})
			t.Run("open", func(t *testing.T) {
				t.Parallel()
				testDavfsOpen(t, mode)
			})
		})
	}
}

func fuseUsable() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no /dev/fuse")
	}
	if err != nil {
		return fmt.Errorf("FUSE can't be used: %w", err)
	}
	return f.Close()
}

// testDavfsSession copies a tree into the mount, moves it to another filesystem of the server,
// and deletes another tree.
func testDavfsSession(t *testing.T, mode string) {
	t.Helper()
	m := mountDavfs(t, mode, davfsLatency, func(share string) { mountTmpfs(t, filepath.Join(share, "other")) })
	local := filepath.Join(m.dir, "local")
	writeFiles(t, filepath.Join(local, "tree", "a collection"), davfsMoved/2)
	writeFiles(t, filepath.Join(local, "tree", "Größe #1"), davfsMoved/2)
	tree := contents(t, local)

	cp := client{name: "cp", args: []string{"-r", filepath.Join(local, "tree"), m.point}}.mustRun(t)
	m.uploaded(t, davfsMoved)
	wantContents(t, filepath.Join(m.share, "tree"), contents(t, filepath.Join(local, "tree")))
	summary.line("davfs2, read time-out %v, interim %s: cp -r of %d files: done in %.1f s", davfsReadTimeout, mode, davfsMoved, cp.took.Seconds())

	mv := client{name: "mv", args: []string{filepath.Join(m.point, "tree"), filepath.Join(m.point, "other", "tree")}}
	m.operation(t, davfsOperation{method: "MOVE", path: "/tree", status: http.StatusCreated, survives: true, run: mv, fails: "Input/output error"})
	wantGone(t, filepath.Join(m.share, "tree"))
	wantContents(t, filepath.Join(m.share, "other"), tree)

	// All files appear at the same moment, and davfs2 does not notice. If it listed the
	// directory and saw some of them, rmdir would fail.
	writeFiles(t, filepath.Join(m.share, "filled"), davfsDeleted)
	client{name: "mkdir", args: []string{filepath.Join(m.point, "full")}}.mustRun(t)
	fill(t, filepath.Join(m.share, "filled"), filepath.Join(m.share, "full"))
	rm := client{name: "rm", args: []string{"-r", filepath.Join(m.point, "full")}}
	m.operation(t, davfsOperation{method: "DELETE", path: "/full", status: http.StatusNoContent, survives: true, run: rm, fails: "Resource temporarily unavailable"})
	wantGone(t, filepath.Join(m.share, "full"))
	m.check(t)
}

// testDavfsOpen reads a file in a collection whose listing takes long. davfs2 requests the
// listing first.
func testDavfsOpen(t *testing.T, mode string) {
	t.Helper()
	m := mountDavfs(t, mode, davfsListLatency, func(share string) {
		writeFiles(t, filepath.Join(share, "large"), davfsListed)
	})
	name := filepath.Join("large", "file 007.txt")
	cat := client{name: "cat", args: []string{filepath.Join(m.point, name)}}
	run := m.operation(t, davfsOperation{method: "PROPFIND", path: "/large", status: http.StatusMultiStatus, run: cat, fails: "No such file or directory"})
	if want := contents(t, m.share)[name]; !m.control && run.stdout != want {
		t.Errorf("cat: %q, want %q", run.stdout, want)
	}
	m.check(t)
}

// davfsRow is the row of davfs2 in the matrix of clients. It has no cell for the mode always,
// because the row of cadaver shows the cap of neon.
const davfsRow = "davfs2 (neon before 0.33)"

// A davfsMount is a share of a new davd that davfs2 has mounted.
type davfsMount struct {
	mode    string
	control bool   // this is the control run, in which davd sends no interim responses
	dir     string // contains all files of the test
	share   string // the directory that davd serves
	point   string // the mount point
	davd    *server
	between *proxy
	unmount func() error
	// operations are the operations so far.
	operations []davfsOperation
}

// mountDavfs calls fill to create the files of a share, serves it and mounts it until the test
// ends. The name of the test must not contain a comma, because it becomes part of a mount
// option.
func mountDavfs(t *testing.T, mode, latency string, fill func(share string)) *davfsMount {
	t.Helper()
	m := &davfsMount{mode: mode, control: mode == "never", dir: davfsDir(t)}
	m.share, m.point = filepath.Join(m.dir, "share"), filepath.Join(m.dir, "mount")
	for _, dir := range []string{m.share, m.point} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	fill(m.share)
	often := []string{"--interim-after", "1s", "--interim-every", "1s"}
	switch mode {
	case davfsProxy:
		m.davd = serve(t, "--latency", latency, "--interim", "never", m.share)
		m.davd = serveProxy(t, m.davd.url+"/", often...)
	case "auto":
		m.davd = serve(t, append(often, "--latency", latency, m.share)...)
	default:
		// davd stops holding back a listing after --interim-every. The control run keeps the
		// default, because other servers don't do that.
		m.davd = serve(t, "--latency", latency, "--interim", mode, m.share)
	}
	m.between = listenBefore(t, m.davd)
	settings := filepath.Join(m.dir, "davfs2.conf")
	if err := os.WriteFile(settings, davfsSettings(filepath.Join(m.dir, "cache")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := mount("davfs", "conf="+settings+",uid=0,gid=0", m.between.url+"/", m.point); err != nil {
		t.Fatal(err)
	}
	mounted := true
	m.unmount = func() error {
		if !mounted {
			return nil
		}
		mounted = false
		return unmount(m.point)
	}
	t.Cleanup(func() {
		if err := m.unmount(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// davfsDir returns a directory with one for davfs2's cache, which its process
// reaches: that belongs to the user and the group davfs2.
func davfsDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	group, err := user.LookupGroup("davfs2")
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(group.Gid)
	// t.TempDir makes one in a directory that only its owner may enter.
	if err := errors.Join(err, os.Mkdir(cache, 0o775), os.Chown(cache, -1, gid), os.Chmod(cache, 0o775),
		os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func davfsSettings(cache string) []byte {
	seconds := int(davfsReadTimeout.Seconds())
	return fmt.Appendf(nil, "ask_auth 0\nuse_locks 1\nread_timeout %d\nconnect_timeout %d\ndelay_upload 0\ncache_dir %s\n", seconds, seconds, cache)
}

// A davfsOperation is a request that takes longer than the read time-out. davfs2 sends it when
// the test runs a program in the mount.
type davfsOperation struct {
	method, path string
	status       int
	// survives says that the operation continues when its client has disconnected.
	survives bool
	run      client
	// fails is the error message of run when davfs2 has given up.
	fails string
}

// operation runs op. If op continues without its client, it waits for the end of op.
func (m *davfsMount) operation(t *testing.T, op davfsOperation) clientRun {
	t.Helper()
	m.operations = append(m.operations, op)
	run := op.run.run(t)
	says := strings.TrimSpace(run.stderr[strings.LastIndex(run.stderr, ": ")+1:])
	switch {
	case !m.control && run.failed:
		t.Errorf("%s failed: %s", op.run.name, run.stderr)
	case !m.control:
		says = "done"
	case !run.failed:
		t.Errorf("%s succeeded without interim responses, in %v", op.run.name, run.took)
	case says != op.fails:
		t.Errorf("%s failed for another reason: %s", op.run.name, run.stderr)
	}
	summary.line("davfs2, read time-out %v, interim %s: %s (%s): %s after %.1f s",
		davfsReadTimeout, m.mode, op.run.name, op.method, says, run.took.Seconds())
	if m.control && op.survives {
		ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
		defer cancel()
		logged := fmt.Sprintf("method=%s path=%s/? .*status=%d ", op.method, op.path, op.status)
		if _, err := m.davd.log.await(ctx, regexp.MustCompile(logged)); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

// uploaded waits until davfs2 has unlocked count files. davfs2 uploads a file some time after it
// was closed.
func (m *davfsMount) uploaded(t *testing.T, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
	defer cancel()
	err := m.between.await(ctx, func(exchanges []*exchange) bool {
		unlocked := 0
		for _, e := range exchanges {
			if e.method == "UNLOCK" && e.ended {
				unlocked++
			}
		}
		return unlocked >= count
	})
	if err != nil {
		t.Fatalf("davfs2 did not upload %d files: %v", count, err)
	}
}

// check unmounts the share and checks the recorded exchanges.
func (m *davfsMount) check(t *testing.T) {
	t.Helper()
	if err := m.unmount(); err != nil {
		t.Fatal(err)
	}
	exchanges := m.between.finish(t)
	defer m.note(t)
	for _, op := range m.operations {
		// davfs2 may have listed the collection more than once.
		var longest *exchange
		for _, e := range exchanges {
			if e.method == op.method && strings.TrimSuffix(e.path, "/") == op.path && (longest == nil || e.took > longest.took) {
				longest = e
			}
		}
		switch {
		case longest == nil:
			t.Errorf("davfs2 did not send %s %s", op.method, op.path)
		case longest.took < davfsReadTimeout-davfsTolerance:
			t.Errorf("not longer than the read time-out: %v", longest)
		case m.control && (longest.status != 0 || len(longest.interim) > 0):
			t.Errorf("davfs2 did not give up: %v", longest)
		case !m.control && (longest.status != op.status || longest.took < davfsReadTimeout || len(longest.interim) < 2):
			t.Errorf("want status %d after more than %v and with interim responses: %v", op.status, davfsReadTimeout, longest)
		}
	}
}

// note adds the results to the matrix.
func (m *davfsMount) note(t *testing.T) {
	t.Helper()
	matrix.note(davfsRow, "version", packaged("davfs2")(t))
	if m.control || m.mode == davfsProxy {
		return
	}
	auto, outlived := labWith, "yes"
	if t.Failed() {
		auto, outlived = labFails+"see the log", "no"
	}
	matrix.note(davfsRow, "auto", auto)
	matrix.note(davfsRow, "timeout", outlived)
}
