// Package blobs is the contract of a store of immutable objects, such as a bucket of S3.
//
// An object is written once, under a key that is never used again, and later read or removed. A
// key consists of at most 128 letters, digits and "-".
package blobs

import (
	"context"
	"io"
	"iter"
	"time"
)

// Store is a store of objects. All methods are safe for concurrent use. Errors match fs.ErrNotExist
// if an object doesn't exist, and storage.ErrUnavailable if the store can't be reached at present.
// They contain no credentials.
type Store interface {
	// Create begins the object key. size is the length of its content in bytes, or -1 if it is
	// unknown. The object doesn't exist before Finish.
	Create(ctx context.Context, key string, size int64, meta Meta) (Writer, error)

	// Open reads length bytes of the object key from offset, in bytes, or all to its end if length
	// is negative. A length of 0 may find no error. The
	// reader fetches nothing else, and more only while it is read, apart from a
	// bounded read-ahead. The caller must close it.
	Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)

	// Stat describes the object key, with its Meta.
	Stat(ctx context.Context, key string) (Object, error)

	// Remove removes objects. One that doesn't exist counts as removed. After an error, any of
	// them may be left.
	Remove(ctx context.Context, keys []string) error

	// List returns all objects whose keys are greater than after, in order, without Meta.
	List(ctx context.Context, after string) iter.Seq2[Object, error]

	// RemoveUnfinished removes what is left of objects that were begun before the given time and
	// neither finished nor discarded, and returns how many those were. live reports whether the
	// object key may still be finished.
	RemoveUnfinished(ctx context.Context, before time.Time, live func(key string) bool) (int, error)

	// Identity returns a text that identifies the store, without credentials: the same for the
	// same store, and different for different stores.
	Identity() string
}

// Writer writes an object. Only one goroutine may use it, and it must call Finish or Discard in
// the end. It uses bounded memory.
type Writer interface {
	io.Writer

	// Finish makes the object exist, durably. After an error the object does not exist, or will be
	// found by List. If the answer of the store is lost, it looks whether the object exists.
	Finish(ctx context.Context) error

	// Discard ends the object. After Finish or another Discard it does nothing.
	Discard() error
}

// Meta is stored with an object, so that names can be rebuilt from the objects.
type Meta struct {
	// Volume is the id of the name space.
	Volume string
	// Name is the name that the file has when the object is written. A later MOVE or COPY doesn't
	// change it. Where a store has no room for a long name, the name starts with "/…" and ends with
	// the last segments: see Shorten.
	Name string
	// Modified is the modification time that the client wants; zero if that is the time of the upload.
	Modified time.Time
}

// Object describes an object.
type Object struct {
	Key      string
	Size     int64 // in bytes
	Modified time.Time
	Meta     Meta
}
