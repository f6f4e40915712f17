package local

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/davd/davd/storage"
)

// maxFoldings is how many mounts are remembered.
const maxFoldings = 256

// foldings remembers which mounts fold names. What is remembered of one can't change
// while it is mounted, and no other mount has the same key.
type foldings struct {
	mu    sync.Mutex
	known map[mount]bool
}

// folds returns what is known of m, and otherwise what find finds out. It is not
// remembered if find is not sure.
func (f *foldings) folds(m mount, find func() (folds, sure bool)) bool {
	f.mu.Lock()
	folds, known := f.known[m]
	f.mu.Unlock()
	if known {
		return folds
	}
	folds, sure := find()
	if !sure {
		return folds
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= maxFoldings {
		f.known = make(map[mount]bool)
	}
	f.known[m] = folds
	return folds
}

// probe finds out whether the collection local folds names: whether a member is found
// by its name in the other case, although no member is called so. Nothing else tells of
// a file system in user space. Numbers of files don't: some of those file systems have
// another one for each spelling. Where there is no member whose name has a letter, one
// is made for a moment; where that can't be, the collection is taken for one that folds.
func (f *FS) probe(local string) (folds, sure bool) {
	names, err := f.readNames(local)
	if err != nil {
		return true, false
	}
	is := make(map[string]bool, len(names))
	for _, name := range names {
		is[name] = true
	}
	for _, name := range names {
		other := otherCase(name)
		if other == name || is[other] {
			continue
		}
		switch _, err := f.root.Lstat(filepath.Join(local, other)); {
		case err == nil:
			return true, true
		case !errors.Is(err, fs.ErrNotExist):
			continue
		}
		if _, err := f.root.Lstat(filepath.Join(local, name)); err == nil {
			return false, true
		}
	}
	return f.probeNew(local), true
}

// probeNew is probe with a member of its own.
func (f *FS) probeNew(local string) bool {
	// The name has no digits but those of a random number: that is not secret.
	name := filepath.Join(local, storage.ReservedPrefix+"case-"+strconv.FormatUint(rand.Uint64(), 36)) //nolint:gosec // see above
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return true
	}
	_ = file.Close()
	defer func() { _ = f.root.Remove(name) }()
	_, err = f.root.Lstat(filepath.Join(local, otherCase(filepath.Base(name))))
	return !errors.Is(err, fs.ErrNotExist)
}

// otherCase returns name with each ASCII letter in its other case.
func otherCase(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, name)
}
