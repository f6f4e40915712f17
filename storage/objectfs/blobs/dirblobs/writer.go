package dirblobs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// writer writes the file of an unfinished object.
type writer struct {
	store   *Store
	key     string
	file    *os.File // nil after Finish or Discard
	size    int64    // -1: unknown
	written int64
}

// Create begins the object key.
func (s *Store) Create(ctx context.Context, key string, size int64, meta blobs.Meta) (blobs.Writer, error) {
	if err := errors.Join(ctx.Err(), blobs.CheckKey(key)); err != nil {
		return nil, err
	}
	head, err := encodeHeader(meta)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.unfinished(key), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, s.failed(err)
	}
	w := &writer{store: s, key: key, file: f, size: size}
	if _, err := f.Write(head); err != nil {
		return nil, errors.Join(err, w.Discard())
	}
	return w, nil
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	w.written += int64(n)
	return n, err
}

// Finish makes the file durable, and moves it to its name. A crash may leave it there.
func (w *writer) Finish(context.Context) error {
	if w.file == nil {
		return fs.ErrClosed
	}
	err := blobs.CheckSize(w.size, w.written)
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return errors.Join(err, w.Discard())
	}
	err = w.file.Close()
	w.file = nil
	if err == nil {
		err = w.store.place(w.key)
	}
	if err != nil {
		return errors.Join(err, w.remove())
	}
	return nil
}

// Discard removes the file.
func (w *writer) Discard() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return errors.Join(err, w.remove())
}

func (w *writer) remove() error {
	err := os.Remove(w.store.unfinished(w.key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // It is in place, or was removed together with the store.
	}
	return err
}

// place moves an unfinished object to its name, durably.
func (s *Store) place(key string) error {
	file, dir, epochDir := s.path(key)
	for attempt := 0; ; attempt++ {
		made, err := makeDirectories(epochDir, dir)
		if err != nil {
			return s.failed(err)
		}
		err = os.Rename(s.unfinished(key), file)
		if errors.Is(err, fs.ErrNotExist) && attempt < 10 {
			continue // Remove has just removed the empty directory.
		}
		if err != nil {
			return s.failed(err)
		}
		err = syncDirectory(dir)
		for _, parent := range made {
			err = errors.Join(err, syncDirectory(parent))
		}
		return err
	}
}

// makeDirectories makes those directories that don't exist, and returns their parents.
func makeDirectories(epochDir, dir string) (parents []string, err error) {
	err = os.Mkdir(dir, 0o750)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(epochDir, 0o750); err == nil {
			parents = append(parents, filepath.Dir(epochDir))
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		err = os.Mkdir(dir, 0o750)
	}
	switch {
	case err == nil:
		return append(parents, epochDir), nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return parents, nil // If it was removed again, the rename fails.
	}
	return nil, err
}
