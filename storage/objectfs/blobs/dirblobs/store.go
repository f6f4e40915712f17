// Package dirblobs stores objects as files in a directory.
//
// Each file starts with a header of 4096 bytes, which has the [blobs.Meta], and goes on with the
// content. So an object is one file, which appears in one step, and its content can be sent
// without passing through the process.
//
//	objects/EPOCH/RA/EPOCH-RANDOM    the object EPOCH-RANDOM; RA are the first letters of RANDOM
//	unfinished/EPOCH-RANDOM          an object that is being written
package dirblobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
)

const (
	objectsDir    = "objects"
	unfinishedDir = "unfinished"
)

// Store is a store of objects in a directory. Only one process may use it at a time.
type Store struct {
	root string
}

var _ blobs.Store = (*Store)(nil)

// Open opens the store in the directory root, which must exist.
func Open(root string) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{objectsDir, unfinishedDir} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return &Store{root: root}, syncDirectory(root)
}

// Identity returns the path of the directory.
func (s *Store) Identity() string { return "blobs:" + s.root }

// path returns the file of the object key, its directory, and the directory of its epoch. In the
// order of these directories, keys are sorted, because "-" comes before letters and digits.
func (s *Store) path(key string) (file, dir, epochDir string) {
	epoch, random := split(key)
	epochDir = filepath.Join(s.root, objectsDir, epoch)
	dir = filepath.Join(epochDir, fan(random))
	return filepath.Join(dir, key), dir, epochDir
}

// split splits a key after its epoch. An epoch may start with "-".
func split(key string) (epoch, random string) {
	if key == "" {
		return "", ""
	}
	epoch, random, _ = strings.Cut(key[1:], "-")
	return key[:1] + epoch, random
}

// fan returns the first two letters of random, with "-" for those that are missing.
func fan(random string) string { return (random + "--")[:2] }

func (s *Store) unfinished(key string) string { return filepath.Join(s.root, unfinishedDir, key) }

// Open opens the object key. The reader is an *os.File.
func (s *Store) Open(_ context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	f, err := s.open(key)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(headerSize+offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if length < 0 {
		return f, nil
	}
	return section{io.LimitReader(f, length), f}, nil
}

// section is a part of a file.
type section struct {
	io.Reader
	io.Closer
}

// Stat describes the object key.
func (s *Store) Stat(_ context.Context, key string) (blobs.Object, error) {
	f, err := s.open(key)
	if err != nil {
		return blobs.Object{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return blobs.Object{}, err
	}
	meta, err := readHeader(f)
	if err != nil {
		return blobs.Object{}, &fs.PathError{Op: "stat", Path: key, Err: err}
	}
	return blobs.Object{Key: key, Size: info.Size() - headerSize, Modified: info.ModTime(), Meta: meta}, nil
}

func (s *Store) open(key string) (*os.File, error) {
	if err := blobs.CheckKey(key); err != nil {
		return nil, err
	}
	file, _, _ := s.path(key)
	f, err := os.Open(file)
	if err != nil {
		return nil, s.failed(err)
	}
	return f, nil
}

// failed returns the error that err of a call means. A file that is missing together with the
// whole store is unavailable, for example because its disk is not mounted.
func (s *Store) failed(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, lost := os.Stat(filepath.Join(s.root, objectsDir)); lost != nil {
		return fmt.Errorf("%w: %v", storage.ErrUnavailable, lost) //nolint:errorlint // no object is missing
	}
	return err
}

// Remove removes objects, and directories that become empty.
func (s *Store) Remove(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := errors.Join(ctx.Err(), blobs.CheckKey(key)); err != nil {
			return err
		}
		file, dir, epochDir := s.path(key)
		if err := os.Remove(file); err != nil {
			if err = s.failed(err); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		// Directories with other objects stay.
		if os.Remove(dir) == nil {
			_ = os.Remove(epochDir)
		}
	}
	return nil
}

// RemoveUnfinished removes the files of objects that were begun before the given time.
func (s *Store) RemoveUnfinished(ctx context.Context, before time.Time, live func(key string) bool) (removed int, err error) {
	d, err := os.Open(filepath.Join(s.root, unfinishedDir))
	if err != nil {
		return 0, s.failed(err)
	}
	defer d.Close()
	for ctx.Err() == nil {
		entries, err := d.ReadDir(1000)
		for _, entry := range entries {
			done, err := s.removeUnfinished(entry, before, live)
			if err != nil {
				return removed, err
			}
			if done {
				removed++
			}
		}
		if err != nil || len(entries) == 0 {
			return removed, ignoreEOF(err)
		}
	}
	return removed, ctx.Err()
}

// removeUnfinished removes one file. One that is gone was finished or discarded.
func (s *Store) removeUnfinished(entry fs.DirEntry, before time.Time, live func(key string) bool) (bool, error) {
	info, err := entry.Info()
	if err == nil && (!info.ModTime().Before(before) || live(entry.Name())) {
		return false, nil
	}
	if err == nil {
		err = os.Remove(s.unfinished(entry.Name()))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
