// Package storagetest is the conformance suite that every storage.FS passes.
//
// A backend's test is a way to make an empty one and a call:
//
//	func TestConformance(t *testing.T) {
//		storagetest.TestFS(t, func(t *testing.T) storage.FS { return mybackend.New(t.TempDir()) })
//	}
//
// [Suite] tells it more: how to make symbolic links, and where the backend is
// known to deviate. [TestReadOnlyFS] is for what can't be written, [BenchmarkFS]
// measures, and [Fault] makes chosen calls of any storage.FS fail, wait or be
// counted.
package storagetest

import (
	"slices"
	"testing"

	"github.com/davd/davd/storage"
)

// Suite is the conformance suite for one backend.
type Suite struct {
	// New returns an empty, writable storage, another one at each call.
	New func(t *testing.T) storage.FS

	// Symlink, if not nil, makes the symbolic link name in a storage made by
	// New. target is what the link says: absolute or relative, in the syntax
	// of the machine, and often outside.
	Symlink func(t *testing.T, fsys storage.FS, target, name string)

	// Readlink, if not nil, returns what the symbolic link name says: a
	// storage.LinkCopier needs it to be checked whole.
	Readlink func(t *testing.T, fsys storage.FS, name string) string

	// FollowsLinks is set if Stat and OpenFile follow the symbolic links that
	// stay inside. If it is not, they must take every link as not there.
	FollowsLinks bool

	// FollowsOutside is set if they follow those too that leave the storage. If
	// it is not, they must take such a link as not there.
	FollowsOutside bool

	// Deviations tells, for the name of a check that the backend is known not
	// to pass, the reason. The check is skipped and the reason logged.
	Deviations map[string]string
}

// TestFS runs the suite on the storage that newFS makes.
func TestFS(t *testing.T, newFS func(t *testing.T) storage.FS) {
	t.Helper()
	Suite{New: newFS}.Run(t)
}

// A check is one requirement. It gets a storage of its own.
type check struct {
	name string
	run  func(f *fixture)
}

func checks() []check {
	return slices.Concat(
		createChecks, contentChecks, statChecks, readdirChecks, renameChecks, removeChecks,
		nameChecks(), escapeChecks, concurrencyChecks, cancelChecks, copyFileChecks,
		replaceFileChecks, factChecks, copyMembersChecks, exchangeChecks,
	)
}

// Run runs each check as a subtest.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range checks() {
		known[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := s.Deviations[c.name]; ok {
				t.Skip("known deviation: " + reason)
			}
			c.run(newFixture(t, s.New(t)))
		})
	}
	for _, c := range linkChecks() {
		known[c.name] = true
	}
	t.Run("Links", s.runLinks)
	for name := range s.Deviations {
		if !known[name] {
			t.Errorf("deviation %q is of no check of the suite", name)
		}
	}
}

func (s Suite) runLinks(t *testing.T) {
	if s.Symlink == nil {
		t.Skip("no Symlink: this backend makes no symbolic links")
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
