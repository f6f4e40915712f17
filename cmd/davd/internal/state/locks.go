package state

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/davd/davd/cmd/davd/internal/config"
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
	if cfg.State.URL != "" {
		file, err := locate(cfg)
		if len(cfg.Shares) > 0 {
			file, err = locateShared(cfg)
		}
		if err != nil {
			return "", err
		}
		return file, exists(file, "no davd of this machine has used this --state and --node-name: use the same as for davd serve, on the machine where it runs")
	}
	if len(cfg.Shares) > 0 {
		file, err := locateShared(cfg)
		if err != nil {
			return "", err
		}
		return file, exists(file, "davd has not served "+cfg.File+" with this state: use the same file as for davd serve; if its state has changed, restart davd")
	}
	file, err := locate(cfg)
	if err == nil {
		err = exists(file, fmt.Sprintf("davd has not served %s with this --state: use the same directory and --state as for davd serve", cfg.Dir))
	}
	if err == nil || named {
		return file, err
	}
	if file == "" && cfg.State.Dir == "" {
		return "", err
	}
	dir, absErr := filepath.Abs(cmp.Or(cfg.State.Dir, filepath.Dir(file)))
	if absErr != nil {
		return "", absErr
	}
	entries, _ := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return filepath.Ext(e.Name()) != ".db" })
	switch len(entries) {
	case 0:
		return "", err
	case 1:
		return filepath.Join(dir, entries[0].Name()), nil
	}
	return "", fmt.Errorf("%s has the state of %d served directories: write the one that you mean as the last argument", dir, len(entries))
}

func exists(file, advice string) error {
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such state: %s", file, advice)
	}
	return err
}
