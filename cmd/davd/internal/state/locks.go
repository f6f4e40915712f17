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

// ErrInMemory is returned for a state that is not on the disk.
var ErrInMemory = errors.New("a davd with --state mem keeps its locks in memory, where no other program reaches them: restart it to end them")

// Find returns the path of the existing database for the directory that cfg serves. If
// named is false, cfg.Dir is only a guess. Then Find also takes the only database in the
// directory of the state.
func Find(cfg *config.Config, named bool) (string, error) {
	if cfg.State.Memory {
		return "", ErrInMemory
	}
	if cfg.State.File != "" {
		file, err := filepath.Abs(cfg.State.File)
		if err != nil {
			return "", err
		}
		return file, exists(file, "name the file that davd serve has as its --state")
	}
	file, err := locate(cfg)
	if err == nil {
		err = exists(file, fmt.Sprintf("davd has served no %s with this --state: name both as for davd serve", cfg.Dir))
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
	return "", fmt.Errorf("%s has the state of %d directories: name the one that is served, as for davd serve", dir, len(all))
}

func exists(file, advice string) error {
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such state: %s", file, advice)
	}
	return err
}

// escapeGlob returns the pattern that matches dir alone.
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

// OpenLocks opens the locks in a database that no davd is using. Close ends that.
func OpenLocks(ctx context.Context, file string) (locks *lock.System, closeDB func() error, err error) {
	db, err := sqlstate.Open(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	locks, err = lock.New(ctx, lock.Options{Store: db})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: the locks can't be read: %w", file, err), db.Close())
	}
	return locks, db.Close, nil
}
