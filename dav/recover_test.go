//go:build unix

package dav_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// condition is the complete state of a share: its files and collections, and the dead
// properties and locks by name.
type condition struct {
	files, props, locks map[string]string
}

// scenario is one request and the state before it.
type scenario struct {
	way, method, src, dst string // src and dst: file, collection, nothing
	overwrite             bool
}

func (s scenario) String() string {
	overwrite := "F"
	if s.overwrite {
		overwrite = "T"
	}
	if s.method == "DELETE" {
		return "DELETE of a " + s.src
	}
	return fmt.Sprintf("%s, %s: a %s onto %s, Overwrite %s", s.method, s.way, s.src, s.dst, overwrite)
}

// scenarios combine each method with each kind of resource and each way of renaming.
func scenarios() (all []scenario) {
	for _, src := range []string{"file", "collection"} {
		all = append(all, scenario{way: "exchange", method: "DELETE", src: src, dst: "nothing"})
		for way := range ways {
			for _, method := range []string{"COPY", "MOVE"} {
				if method == "COPY" && strings.HasPrefix(way, "across") {
					continue // It is no other than without.
				}
				for _, dst := range []string{"nothing", "file", "collection"} {
					all = append(all, scenario{way, method, src, dst, true})
				}
				all = append(all, scenario{way, method, src, "nothing", false}, scenario{way, method, src, "collection", false})
			}
		}
	}
	slices.SortFunc(all, func(a, b scenario) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// things are the kinds of resources: contents by the path below the name, "/" for a
// collection.
var things = map[string]map[string]string{
	"nothing":    {},
	"file":       {"": "content"},
	"collection": {"": "/", "/f": "one", "/d": "/", "/d/g": "two"},
}

// before is the state before the request. Each resource has a property and, if
// possible, a lock.
func (s scenario) before() condition {
	c := condition{files: map[string]string{}, props: map[string]string{}, locks: map[string]string{}}
	for root, kind := range map[string]string{"/src": s.src, "/dst": s.dst, "/other": "file"} {
		for below, content := range things[kind] {
			name := root + below
			if content != "/" {
				content = root + "'s " + content
			}
			c.files[name] = content
			c.props[name] = "of " + name
			if below == "" || below == "/d/g" {
				c.locks[name] = "locked"
			}
		}
	}
	return c
}

// after returns the state after a successful request on c.
func (s scenario) after(c condition) condition {
	done := condition{files: maps.Clone(c.files), props: maps.Clone(c.props), locks: maps.Clone(c.locks)}
	inside := func(root string) func(string, string) bool {
		return func(name, _ string) bool { return name == root || strings.HasPrefix(name, root+"/") }
	}
	if s.method != "DELETE" {
		for _, m := range []map[string]string{done.files, done.props} {
			maps.DeleteFunc(m, inside("/dst"))
			for name, what := range c.filesOrProps(m, done) {
				if inside("/src")(name, "") {
					m["/dst"+strings.TrimPrefix(name, "/src")] = what
				}
			}
		}
		// A lock on the destination itself stays (RFC 4918 §7.6).
		maps.DeleteFunc(done.locks, func(name, _ string) bool { return strings.HasPrefix(name, "/dst/") })
	}
	if s.method != "COPY" {
		for _, m := range []map[string]string{done.files, done.props, done.locks} {
			maps.DeleteFunc(m, inside("/src"))
		}
	}
	return done
}

// filesOrProps returns c's map that is m in done.
func (c condition) filesOrProps(m map[string]string, done condition) map[string]string {
	if fmt.Sprintf("%p", m) == fmt.Sprintf("%p", done.files) {
		return c.files
	}
	return c.props
}

// build creates c in dir and returns the lock tokens by name.
func (c condition) build(t *testing.T, dir string) map[string]string {
	t.Helper()
	share := filepath.Join(dir, "share")
	must(t, os.Mkdir(share, 0o755))
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		if c.files[name] == "/" {
			must(t, os.Mkdir(filepath.Join(share, name), 0o755))
		} else {
			must(t, os.WriteFile(filepath.Join(share, name), []byte(c.files[name]), 0o644))
		}
	}
	s, err := openSite(dir, "exchange", func() {})
	must(t, err)
	defer func() { must(t, s.close()) }()
	for name, value := range c.props {
		property := webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte(value)}
		must(t, s.State.Properties().Patch(t.Context(), name, []webdav.Proppatch{{Props: []webdav.Property{property}}}))
	}
	tokens := map[string]string{}
	for name := range c.locks {
		l, err := s.locks.Acquire(t.Context(), time.Now(), lock.Lock{Root: name, ZeroDepth: true, Duration: time.Hour})
		must(t, err)
		tokens[name] = l.Token
	}
	return tokens
}

// found restarts and recovers, and returns the state of dir, with reserved names, and
// the record that was in the journal.
func found(t *testing.T, dir, way string) (condition, string) {
	t.Helper()
	s, err := openSite(dir, way, func() {})
	must(t, err)
	defer func() { must(t, s.close()) }()
	records, err := s.db.LoadRecords(t.Context())
	must(t, err)
	recovered, err := s.Recover(t.Context())
	if err != nil {
		t.Errorf("Recover: %v", err)
	}
	for _, r := range recovered {
		if r.Err != nil {
			t.Errorf("Recover: %v is %s: %v", r.Entry, r.Result, r.Err)
		}
	}
	if left, err := s.db.LoadRecords(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("the journal has still %q (%v)", left, err)
	}
	c := condition{files: map[string]string{}, props: map[string]string{}, locks: map[string]string{}}
	share := filepath.Join(dir, "share")
	must(t, filepath.WalkDir(share, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == share {
			return err
		}
		name := path.Clean("/" + filepath.ToSlash(strings.TrimPrefix(file, share)))
		if entry.IsDir() {
			c.files[name] = "/"
			return nil
		}
		content, err := os.ReadFile(file)
		c.files[name] = string(content)
		return err
	}))
	c.state(t, s)
	return c, fmt.Sprintf("%s", records)
}

// state reads properties and locks of existing and of former names.
func (c condition) state(t *testing.T, s *site) {
	t.Helper()
	for _, root := range []string{"/src", "/dst", "/other"} {
		for below := range things["collection"] {
			props, _, err := s.State.Properties().Read(t.Context(), deadprops.Query{Names: []string{root + below}})
			must(t, err)
			for name, all := range props {
				c.props[name] = string(all[0].InnerXML)
			}
		}
	}
	all, err := s.locks.Find(t.Context(), time.Now(), "/", true)
	must(t, err)
	for _, l := range all {
		c.locks[l.Root] = "locked"
	}
}

// problem says how c differs from both the old and the new state; "" if it is one of
// them.
func (s scenario) problem(c, was, done condition) string {
	if s.method == "DELETE" && s.src == "collection" {
		// A DELETE removes one member after the other; the rest is unchanged (RFC 4918
		// §9.6.1).
		for name, what := range was.files {
			_, there := c.files[name]
			if there && (c.files[name] != what || c.props[name] != was.props[name]) || !there && c.locks[name] != "" {
				return fmt.Sprintf("%s has changed, or left a lock: %v", name, c)
			}
			if there && c.locks[name] != was.locks[name] {
				return name + " has lost its lock"
			}
		}
		if len(c.files) > len(was.files) {
			return fmt.Sprintf("there is more than before: %v", c.files)
		}
		if _, there := c.files["/src"]; there {
			return ""
		}
	}
	for _, want := range []condition{was, done} {
		if maps.Equal(c.files, want.files) && maps.Equal(c.props, want.props) && maps.Equal(c.locks, want.locks) {
			return ""
		}
	}
	return fmt.Sprintf("neither old nor new:\n got %v\n old %v\n new %v", c, was, done)
}

// run starts a victim that is killed before the given step. If it was not killed, run
// returns its output.
func (s scenario) run(t *testing.T, dir string, tokens map[string]string, step int) string {
	t.Helper()
	return runVictim(t, victim{Dir: dir, Way: s.way, Step: int64(step), Requests: []victimRequest{s.request(tokens)}})
}

// request returns the request of the scenario, with all lock tokens.
func (s scenario) request(tokens map[string]string) victimRequest {
	request := victimRequest{Method: s.method, Path: "http://h/src", Header: map[string]string{}}
	if s.method != "DELETE" {
		request.Header["Destination"] = "http://h/dst"
		if !s.overwrite {
			request.Header["Overwrite"] = "F"
		}
	}
	for name, token := range tokens {
		request.Header["If"] += fmt.Sprintf("<http://h%s> (<%s>) ", name, token)
	}
	return request
}

func runVictim(t *testing.T, v victim) string {
	t.Helper()
	task, err := json.Marshal(v)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), victimTask+"="+string(task))
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			return ""
		}
	}
	if err != nil || trouble.Len() > 0 {
		t.Fatalf("victim: %v: %s", err, trouble.String())
	}
	return string(out)
}

// TestKilled kills a server at every step of a request that changes something. After a
// restart the destination is completely old or completely new, the source is complete
// (or gone after the commit), no reserved names are left, and properties and locks
// agree with the resources. It kills at a sample of the steps, or at every step in a sweep.
func TestKilled(t *testing.T) {
	t.Parallel()
	var points atomic.Int64
	t.Cleanup(func() { t.Logf("%d points tried", points.Load()) })
	limit := make(chan struct{}, 4) // processes at a time
	for _, s := range scenarios() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			was := s.before()
			done := s.after(was)
			dir := t.TempDir()
			tokens := was.build(t, dir)
			limit <- struct{}{}
			steps, status, err := parseSteps(s.run(t, dir, tokens, 0))
			<-limit
			must(t, err)
			if refused := !s.overwrite && s.dst != "nothing"; refused {
				done = was
				if status != 412 {
					t.Errorf("status %d, want 412 (RFC 4918 §9.8.4)", status)
				}
			} else if status/100 != 2 {
				t.Fatalf("status %d", status)
			}
			got, _ := found(t, dir, s.way)
			if !maps.Equal(got.files, done.files) || !maps.Equal(got.props, done.props) || !maps.Equal(got.locks, done.locks) {
				t.Fatalf("not killed: got %v\nwant %v", got, done)
			}
			var wg sync.WaitGroup
			for _, step := range sweep.Steps(t, steps, 2) {
				limit <- struct{}{}
				wg.Go(func() {
					defer func() { <-limit }()
					points.Add(1)
					dir := t.TempDir()
					tokens := was.build(t, dir)
					s.run(t, dir, tokens, step)
					got, record := found(t, dir, s.way)
					if p := s.problem(got, was, done); p != "" {
						t.Errorf("step %d of %d, journal %s: %s", step, steps, record, p)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestKilledRecovering also kills the server at steps of the recovery. The next recovery
// must have the same result.
func TestKilledRecovering(t *testing.T) {
	t.Parallel()
	var points atomic.Int64
	t.Cleanup(func() { t.Logf("%d points tried", points.Load()) })
	for way := range ways {
		for _, method := range []string{"COPY", "MOVE"} {
			s := scenario{way, method, "collection", "collection", true}
			t.Run(s.String(), func(t *testing.T) {
				t.Parallel()
				was := s.before()
				done := s.after(was)
				dir := t.TempDir()
				steps, _, err := parseSteps(s.run(t, dir, was.build(t, dir), 0))
				must(t, err)
				random := sweep.Random(t)
				for _, first := range sweep.Steps(t, steps, 2) {
					if sweep.All() && first%6 != 3 {
						continue // All would take too long.
					}
					second := sweep.Size(1+random.IntN(8), 1)
					for lived := false; !lived; second++ {
						points.Add(1)
						dir := t.TempDir()
						s.run(t, dir, was.build(t, dir), first)
						lived = runVictim(t, victim{Dir: dir, Way: way, Step: int64(second)}) != "" || !sweep.All()
						got, record := found(t, dir, way)
						if p := s.problem(got, was, done); p != "" {
							t.Errorf("step %d of %d, then %d, journal %s: %s", first, steps, second, record, p)
						}
					}
				}
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
