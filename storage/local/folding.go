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

// maxFoldings is how many mounts foldings remembers.
const maxFoldings = 256

// foldings remembers which mounts fold names. This can't change while a mount exists, and
// no other mount has the same key.
type foldings struct {
	mu    sync.Mutex
	known map[mount]bool
}

// folds reports whether m folds names. If that is unknown, it calls find, and remembers
// the answer if find is sure.
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

// probe finds out whether the collection local folds names, by looking up a member by its
// name in the other case. This is the only way for a filesystem in user space. Comparing
// the numbers of files doesn't help, because some of these filesystems give each spelling
// another number. If no member has a letter in its name, probe creates one for a moment. If
// it can't, it assumes that the collection folds names.
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

// probeNew probes with a new member, which it then removes.
func (f *FS) probeNew(local string) bool {
	// A random name avoids collisions. It doesn't need to be secret.
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

// otherCase returns name with the case of each ASCII letter swapped.
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
