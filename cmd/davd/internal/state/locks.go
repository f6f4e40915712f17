package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
)

// ErrInMemory is returned for a state that is in memory.
var ErrInMemory = errors.New("a davd with --state mem keeps its locks in memory, where no other program can reach them: restart it to remove them")

// Find returns the path of the existing database for the directory that cfg serves. If
// named is false, the operator has not named that directory and cfg.Dir is a guess. In that
// case, Find also accepts the only database in the directory of the state.
func Find(cfg *config.Config, named bool) (string, error) {
	if cfg.State.Memory {
		return "", ErrInMemory
	}
	if cfg.State.File != "" {
		file, err := filepath.Abs(cfg.State.File)
		if err != nil {
			return "", err
		}
		return file, exists(file, "name the file that is the --state of davd serve")
	}
	file, err := locate(cfg)
	if err == nil {
		err = exists(file, fmt.Sprintf("davd has not served %s with this --state: use the same directory and --state as for davd serve", cfg.Dir))
	}
	if err == nil || named {
		return file, err
	}
	dir := cfg.State.Dir
	switch {
	case dir != "":
	case file == "":
		return "", err
	default:
		dir = filepath.Dir(file)
	}
	dir, absErr := filepath.Abs(dir)
	if absErr != nil {
		return "", absErr
	}
	all, globErr := filepath.Glob(filepath.Join(escapeGlob(dir), "*.db"))
	switch {
	case globErr != nil || len(all) == 0:
		return "", err
	case len(all) == 1:
		return all[0], nil
	}
	return "", fmt.Errorf("%s has the state of %d served directories: name the one that you mean", dir, len(all))
}

func exists(file, advice string) error {
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such state: %s", file, advice)
	}
	return err
}

// escapeGlob returns a pattern that only matches dir.
func escapeGlob(dir string) string {
	var pattern []byte
	for i := range len(dir) {
		switch dir[i] {
		case '*', '?', '[':
			pattern = append(pattern, '[', dir[i], ']')
		default:
			pattern = append(pattern, dir[i])
		}
	}
	return string(pattern)
}

// OpenLocks opens the locks in a database that no davd is using. The caller must call closeDB.
func OpenLocks(ctx context.Context, file string) (locks lock.Manager, closeDB func() error, err error) {
	db, err := sqlstate.Open(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	return db.Locks(), db.Close, nil
}
