package objects

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/sqlstate"
)

// Options says how [Open] opens a place.
type Options struct {
	// State is the state of davd, a *sqlstate.DB or *pgstate.DB; nil for a state in memory.
	State any
	// Limit is the quota in bytes; 0 means no limit.
	Limit int64
	// Observer may be nil.
	Observer *Observer
	// Uploads, if not nil, bounds the memory of uploads to several places together.
	Uploads *s3blobs.Memory
	// Log gets the errors of the collector.
	Log *slog.Logger
}

// Storage is an open place.
type Storage struct {
	*objectfs.FS

	Names *names.Space
	Blobs blobs.Store
	// Node is this process among others that use the same names; nil if it is the only one.
	Node cluster.Node

	observer *Observer

	log  *slog.Logger
	own  *sqlstate.DB // the database of the names, if that is in the directory
	stop func()
	once sync.Once
}

// Open opens a place. It makes a new name space if the place has none.
func Open(ctx context.Context, p Place, o Options) (*Storage, error) {
	s := &Storage{stop: func() {}, log: o.Log, observer: o.Observer}
	if err := s.open(ctx, p, o); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", p, err), s.Close())
	}
	return s, nil
}

func (s *Storage) open(ctx context.Context, p Place, o Options) (err error) {
	if s.Blobs, err = openBlobs(ctx, p, o); err != nil {
		return err
	}
	from := names.Options{Identity: s.Blobs.Identity(), Limit: o.Limit}
	s.Node = cluster.Of(o.State)
	if p.Dir != "" && s.Node == nil {
		if s.own, err = openNames(ctx, p.Dir, o.Log); err != nil {
			return err
		}
		// The directory may be moved together with the database.
		from.Database, from.Identity = s.own, ownIdentity
	} else if shared, ok := o.State.(names.Database); ok {
		from.Database = shared
	} else {
		return errors.New("with a state in memory, the names of all files would be lost when davd exits: leave out --state mem")
	}
	if s.Names, err = names.Open(ctx, from); err != nil {
		return err
	}
	inline := p.Inline
	if inline == 0 {
		inline = -1 // only empty content, so that everything can be rebuilt
	}
	s.FS = objectfs.New(objectfs.Options{Names: s.Names, Blobs: s.Blobs, State: o.State, Limit: o.Limit, Inline: inline})
	return nil
}

// ownIdentity is that of a directory with the database of its own names.
const ownIdentity = "blobs"

func openBlobs(ctx context.Context, p Place, o Options) (blobs.Store, error) {
	if p.Dir == "" {
		p.S3.Memory = o.Uploads
		if o.Observer != nil {
			p.S3.Observe = o.Observer.request
		}
		return openBucket(ctx, p.S3)
	}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return nil, err
	}
	return dirblobs.Open(dir)
}

// openBucket makes sure that the bucket can be used.
func openBucket(ctx context.Context, o s3blobs.Options) (blobs.Store, error) {
	bucket, err := s3blobs.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return bucket, bucket.Check(ctx)
}

// openNames opens the database in a directory of objects.
func openNames(ctx context.Context, dir string, log *slog.Logger) (*sqlstate.DB, error) {
	db, err := sqlstate.Options{Log: log}.Open(ctx, filepath.Join(dir, "names.db"))
	if err != nil {
		return nil, fmt.Errorf("can't open the database of the names: %w", err)
	}
	return db, nil
}

// Collect starts to remove, in the background, what nothing refers to any more. Close ends it.
func (s *Storage) Collect(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &objectfs.Collector{FS: s.FS, Names: s.Names, Log: s.log, Collected: s.observer.collected}
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	s.stop = func() {
		cancel()
		running.Wait()
	}
}

// Close ends the collection, and closes what Open has opened.
func (s *Storage) Close() (err error) {
	s.once.Do(func() {
		s.stop()
		if s.own != nil {
			err = s.own.Close()
		}
	})
	return err
}
