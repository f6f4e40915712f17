package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/afero"

	"github.com/davd/davd/cmd/davd/internal/backend"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/local"
)

// openStorage opens the backend. what describes it to the operator.
func openStorage(ctx context.Context, cfg *config.Config, log *slog.Logger) (fsys storage.FS, what string, err error) {
	access := "read-write"
	if cfg.Handler.ReadOnly {
		access = "read-only"
	}
	if cfg.Storage.Kind == config.Mem {
		return aferofs.New(afero.NewMemMapFs()), fmt.Sprintf("memory (%s, lost when davd exits)", access), nil
	}
	if cfg.Elsewhere() {
		if backend.IsZip(cfg.Dir) {
			cfg.Handler.ReadOnly, access = true, "read-only"
		}
		fsys, what, err = backend.Open(ctx, cfg.Dir, log)
		return fsys, fmt.Sprintf("%s (%s)", what, access), err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, "", fmt.Errorf("%s: the current directory no longer exists: change to another one", cfg.Dir)
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, "", fmt.Errorf("%s: is a file: name the directory that contains it", cfg.Dir)
	}
	if err == nil {
		fsys, err = local.OpenWith(dir, cfg.Local)
	}
	switch {
	case err == nil:
		return fsys, fmt.Sprintf("%s (%s)", dir, access), nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", fmt.Errorf("%s: no such directory: create it, or name another", cfg.Dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, "", fmt.Errorf("%s: davd lacks permission to read it: grant that, or name another directory", cfg.Dir)
	}
	return nil, "", fmt.Errorf("%s: can't be served (%w): name another directory", cfg.Dir, err)
}
