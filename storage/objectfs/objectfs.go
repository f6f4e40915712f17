// Package objectfs serves files whose names are in a database and whose content is in objects that
// never change, such as those of S3.
//
// A MOVE changes one row, and a COPY adds rows that share objects, so neither touches content. A
// PUT writes a new object and then a row. Content of a few KiB is in the row itself.
//
// An object is written before its row, and a row is removed before its object. The [Collector]
// removes the objects that no row needs any more. [Check] compares rows and objects, and [Rebuild]
// makes rows from objects.
//
// Names are the same if they are equal in Unicode's normal form C. There are no symbolic links.
package objectfs

import (
	"context"
	"encoding/xml"
	"hash/fnv"
	"io/fs"
	"math"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/webdav"
	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names"
)

var _ interface {
	storage.Canonicaler
	storage.Copier
	storage.DeadPropsReader
	storage.FileReplacer
	storage.Holder
	storage.Lister
	storage.Lstater
	storage.Rationer
	storage.ReadOpener
	storage.Remover
	storage.Renamer
	storage.Spacer
	storage.TimeSetter
	storage.Transactor
	storage.TreeCopier
	storage.TreeRemover
} = (*FS)(nil)

const (
	// defaultInline is the largest content that is stored in the database, in bytes.
	defaultInline = 8 << 10
	// maxDepth is how many collections may be nested. The database goes through every segment of a
	// name.
	maxDepth = 256
	// maxSegment is the greatest length of a segment in bytes, as on most disks.
	maxSegment = 255
)

// Options says where an [FS] stores files.
type Options struct {
	Names names.Store
	Blobs blobs.Store
	// Inline is the largest content that is stored in the database, in bytes; 0 means 8 KiB, and
	// a negative number that only empty content is.
	Inline int
	// State, if not nil, is the dav.State whose database has the names, so that a change of names
	// can be part of its transactions.
	State any
	// Limit is the quota in bytes; 0 means no limit.
	Limit int64
}

// FS is a storage.FS.
type FS struct {
	options Options
	device  uint64
	page    int // how many members one statement finds
	limit   atomic.Int64
	doubts  doubts
}

// New returns the FS.
func New(options Options) *FS {
	if options.Inline == 0 {
		options.Inline = defaultInline
	}
	volume := fnv.New64a()
	_, _ = volume.Write([]byte(options.Names.Volume())) // It never fails.
	f := &FS{options: options, device: volume.Sum64(), page: pageSize}
	f.SetLimit(options.Limit)
	return f
}

// SetLimit sets the quota in bytes; 0 means no limit.
func (f *FS) SetLimit(limit int64) {
	f.limit.Store(limit)
	f.options.Names.SetLimit(limit)
}

// Limit returns the quota in bytes; 0 means no limit.
func (f *FS) Limit() int64 { return f.limit.Load() }

// started returns the clean form of name, or the error if no file can have it. invalid is the
// error for a name with a NUL.
func started(ctx context.Context, name string, invalid error) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	name = storage.Clean(name)
	return name, check(name, invalid)
}

func check(name string, invalid error) error {
	if strings.IndexByte(name, 0) >= 0 {
		return invalid
	}
	if len(name) > maxSegment {
		for segment := range strings.SplitSeq(name, "/") {
			if len(segment) > maxSegment {
				return syscall.ENAMETOOLONG
			}
		}
	}
	return nil
}

// at returns err as an *fs.PathError with name, the name that the caller of the FS used. It returns
// nil for nil.
func at(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: storage.Cause(err)}
}

// Mkdir makes the collection name. A collection more than 256 levels deep is storage.ErrTooDeep.
func (f *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	full, err := started(ctx, name, fs.ErrInvalid)
	switch {
	case err != nil:
	case full == "/":
		err = fs.ErrExist
	case strings.Count(full, "/") > maxDepth:
		err = storage.ErrTooDeep
	default:
		_, err = f.options.Names.Mkdir(ctx, full, uint32(perm.Perm()))
	}
	return at("mkdir", name, err)
}

// Stat describes name.
func (f *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.describe(ctx, "stat", name)
}

// Lstat is Stat: there are no symbolic links.
func (f *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return f.describe(ctx, "lstat", name)
}

func (f *FS) describe(ctx context.Context, op, name string) (fs.FileInfo, error) {
	node, full, err := f.find(ctx, name)
	if err != nil {
		return nil, at(op, name, err)
	}
	return f.info(node, full), nil
}

// find returns the node name, and the clean form of name.
func (f *FS) find(ctx context.Context, name string) (names.Node, string, error) {
	full, err := started(ctx, name, fs.ErrNotExist)
	if err != nil {
		return names.Node{}, "", err
	}
	node, err := f.options.Names.Find(ctx, full)
	if err == nil && keepsParts(node) {
		node, err = f.whole(ctx, node)
	}
	return node, full, err
}

// SetTimes sets the modification time of name.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	full, err := started(ctx, name, fs.ErrNotExist)
	if err == nil {
		err = f.options.Names.SetTimes(ctx, full, modified, time.Time{})
	}
	return at("settimes", name, err)
}

// ReadDeadProps returns nil: dead properties are in the state.
func (f *FS) ReadDeadProps(ctx context.Context, _ string) (map[xml.Name]webdav.Property, error) {
	return nil, ctx.Err()
}

// Canonical returns name with its normal form C as the key.
func (f *FS) Canonical(ctx context.Context, name string, _ bool) (storage.Canon, error) {
	name = storage.Clean(name)
	return storage.Canon{Name: name, Key: norm.NFC.String(name), Composes: true}, ctx.Err()
}

// Transacts implements storage.Transactor.
func (f *FS) Transacts(_ context.Context, _ string, state any) bool {
	return f.options.State != nil && f.options.State == state
}

// Space returns how many bytes the files have, and how many more the quota allows.
func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	if _, _, err := f.find(ctx, name); err != nil {
		return 0, 0, at("space", name, err)
	}
	if used, err = f.options.Names.Usage(ctx); err != nil {
		return 0, 0, at("space", name, err)
	}
	if limit := f.limit.Load(); limit > 0 {
		return used, max(limit-used, 0), nil
	}
	return used, math.MaxInt64 - used, nil
}

// Rationed reports whether there is a quota.
func (f *FS) Rationed(context.Context, string) bool { return f.limit.Load() > 0 }
