// Package storagetest contains the conformance suite for every storage.FS.
//
// The test of a backend needs only a function that returns an empty storage, and one call:
//
//	func TestConformance(t *testing.T) {
//		storagetest.TestFS(t, func(t *testing.T) storage.FS { return mybackend.New(t.TempDir()) })
//	}
//
// The checks have three tiers. A backend must pass the first; see [Required], [Capability] and
// [Optional]. [TestRequired] runs only the first. [Suite] has more options: how to create
// symbolic links, and which checks the backend is known to fail. [TestReadOnlyFS] tests
// read-only storages, [BenchmarkFS] measures, and [Fault] makes chosen calls of any storage.FS
// fail or wait, or counts them.
package storagetest

import (
	"os"
	"testing"

	"github.com/davd/davd/storage"
)

// Suite is the conformance suite for one backend.
type Suite struct {
	// New returns an empty, writable storage, a new one at each call.
	New func(t *testing.T) storage.FS

	// Symlink, if not nil, creates the symbolic link name in a storage that New returned.
	// target is its target text: absolute or relative, in the syntax of this machine, and
	// often outside the storage.
	Symlink func(t *testing.T, fsys storage.FS, target, name string)

	// Readlink, if not nil, returns the target text of the symbolic link name. The suite needs
	// it to test a storage.Copier completely.
	Readlink func(t *testing.T, fsys storage.FS, name string) string

	// FollowsLinks says that Stat and OpenFile follow symbolic links that stay inside the
	// storage. If it is false, they must treat every link as missing.
	FollowsLinks bool

	// FollowsOutside says that they also follow links that lead outside the storage. If it is
	// false, they must treat such links as missing.
	FollowsOutside bool

	// WholeTrees says that the storage must be able to copy and remove whole trees.
	WholeTrees bool

	// Tiers are the tiers to run; nil means all.
	Tiers []Tier

	// Deviations maps the names of checks that the backend is known to fail to the reasons.
	// These checks are skipped, and the reasons are logged.
	Deviations map[string]string
}

// OnDisk returns s for a storage that follows links which stay inside it, and whose entries are
// those of this machine. pathIn returns the path of a name.
func (s Suite) OnDisk(pathIn func(t *testing.T, fsys storage.FS, name string) string) Suite {
	s.Symlink = func(t *testing.T, fsys storage.FS, target, name string) {
		t.Helper()
		if err := os.Symlink(target, pathIn(t, fsys, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.Readlink = func(t *testing.T, fsys storage.FS, name string) string {
		t.Helper()
		text, err := os.Readlink(pathIn(t, fsys, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s.FollowsLinks = true
	return s
}

// TestFS runs the suite on the storage that newFS returns.
func TestFS(t *testing.T, newFS func(t *testing.T) storage.FS) {
	t.Helper()
	Suite{New: newFS}.Run(t)
}

// TestRequired runs the checks that every backend must pass.
func TestRequired(t *testing.T, newFS func(t *testing.T) storage.FS) {
	t.Helper()
	Suite{New: newFS, Tiers: []Tier{Required}}.Run(t)
}

// Run runs each check as a subtest of its tier.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	tiers := s.Tiers
	if tiers == nil {
		tiers = []Tier{Required, Capability, Optional}
	}
	known := map[string]bool{}
	for _, c := range checks() {
		known[c.name] = true
	}
	for _, c := range linkChecks() {
		known[c.name] = true
	}
	for name := range s.Deviations {
		if !known[name] {
			t.Errorf("deviation %q: the suite has no such check", name)
		}
	}
	for _, tier := range tiers {
		t.Run(string(tier), func(t *testing.T) { s.runTier(t, tier) })
	}
}

func (s Suite) runTier(t *testing.T, tier Tier) {
	for _, c := range checks() {
		if tierOf(c.name) != tier {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := s.Deviations[c.name]; ok {
				t.Skip("known deviation: " + reason)
			}
			f := newFixture(t, s.New(t))
			f.required = s.WholeTrees
			c.run(f)
		})
	}
	if tier == Capability {
		t.Run("Links", s.runLinks)
	}
}

func (s Suite) runLinks(t *testing.T) {
	if s.Symlink == nil {
		t.Skip("no Symlink: this backend has no symbolic links")
	}
	for _, c := range linkChecks() {
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := s.Deviations[c.name]; ok {
				t.Skip("known deviation: " + reason)
			}
			f := newFixture(t, s.New(t))
			l := &linkFixture{
				fixture: f,
				follows: s.FollowsLinks,
				outside: s.FollowsOutside,
				symlink: func(target, name string) { s.Symlink(t, f.FS, target, name) },
			}
			if s.Readlink != nil {
				l.readlink = func(name string) string { return s.Readlink(t, f.FS, name) }
			}
			c.run(l)
		})
	}
}
