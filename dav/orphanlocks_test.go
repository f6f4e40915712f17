//go:build unix

package dav_test

import (
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// TestLockKilled kills a server at every step of a LOCK of a missing name. After a
// restart, both a lock and a file exist, or neither (RFC 4918 §7.3). Properties of an
// earlier resource with that name do not return.
func TestLockKilled(t *testing.T) {
	request := victimRequest{
		Method: "LOCK", Path: "http://h/new",
		Body: `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`,
	}
	prepare := func() string {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "share"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "share", "other"), nil, 0o644))
		s, err := openSite(dir, "exchange", func() {})
		must(t, err)
		property := webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte("old")}
		must(t, s.State.Properties().Patch(t.Context(), "/new", []webdav.Proppatch{{Props: []webdav.Property{property}}}))
		must(t, s.close())
		return dir
	}
	steps, status, err := parseSteps(runVictim(t, victim{Dir: prepare(), Way: "exchange", Requests: []victimRequest{request}}))
	if err != nil || status != http.StatusCreated {
		t.Fatalf("status %d, error %v", status, err)
	}
	for step := 1; step <= steps; step++ {
		dir := prepare()
		runVictim(t, victim{Dir: dir, Way: "exchange", Step: int64(step), Requests: []victimRequest{request}})
		c, _ := found(t, dir, "exchange")
		_, there := c.files["/new"]
		s, err := openSite(dir, "exchange", func() {})
		must(t, err)
		locks, err := s.locks.Find(t.Context(), time.Now(), "/", true)
		must(t, err)
		props, _, err := s.State.Properties().Read(t.Context(), deadprops.Query{Names: []string{"/new"}})
		must(t, err)
		if there != (len(locks) == 1) || there && len(props["/new"]) > 0 {
			t.Errorf("step %d of %d: the file is there: %t; locks %v, properties %v", step, steps, there, locks, props)
		}
		must(t, s.close())
	}
}

// TestRecoverOrphanLocks checks that only locks are released whose resource is missing
// but whose parent exists.
func TestRecoverOrphanLocks(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  int // how many of the locks of /d/f, /d/gone and /none/f stay
	}{
		"a member is missing":           {[]string{"d/f"}, 2},
		"the share is not mounted":      {nil, 3},
		"nothing but its collection is": {[]string{"d/"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			share := filepath.Join(dir, "share")
			must(t, os.Mkdir(share, 0o755))
			for _, file := range c.files {
				must(t, os.MkdirAll(filepath.Join(share, filepath.Dir(file)), 0o755))
				if filepath.Base(file) == "f" {
					must(t, os.WriteFile(filepath.Join(share, file), nil, 0o644))
				}
			}
			s, err := openSite(dir, "exchange", func() {})
			must(t, err)
			defer func() { must(t, s.close()) }()
			for _, root := range []string{"/d/f", "/d/gone", "/none/f"} {
				_, err := s.locks.Acquire(t.Context(), time.Now(), lock.Lock{Root: root, ZeroDepth: true, Duration: time.Hour})
				must(t, err)
			}
			recovered, err := s.Recover(t.Context())
			must(t, err)
			left, err := s.locks.Find(t.Context(), time.Now(), "/", true)
			must(t, err)
			if len(left) != c.want || len(recovered) != 3-c.want {
				t.Errorf("left %v, recovered %v", left, recovered)
			}
			for _, r := range recovered {
				if r.Entry.Method != "LOCK" || r.Result != tree.Undone {
					t.Errorf("recovered %+v", r)
				}
			}
		})
	}
}
