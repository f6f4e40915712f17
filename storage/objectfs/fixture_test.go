package objectfs_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// inline is the largest content that tests store in the database, so that both kinds occur.
const inline = 64

// site is a storage of a test.
type site struct {
	*objectfs.FS
	names *names.Space
	blobs blobs.Store
}

// kind is a kind of storage.
type kind struct {
	name     string
	database func(tb testing.TB) names.Database
	objects  func(tb testing.TB) blobs.Store
}

func kinds() []kind {
	return []kind{
		{"SQLiteDirectory", openSQLite, openDirectory},
		{"PostgreSQLDirectory", openPostgreSQL, openDirectory},
		{"PostgreSQLS3", openPostgreSQL, openS3},
	}
}

func openDirectory(tb testing.TB) blobs.Store {
	tb.Helper()
	objects, err := dirblobs.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	return objects
}

// openS3 opens a place of its own in a bucket.
func openS3(tb testing.TB) blobs.Store {
	tb.Helper()
	endpoint, bucket := s3test.Bucket(tb)
	return openBucket(tb, endpoint, bucket)
}

func openBucket(tb testing.TB, endpoint, bucket string) blobs.Store {
	tb.Helper()
	objects, err := s3blobs.Open(tb.Context(), bucketOptions(tb, endpoint, bucket))
	if err != nil {
		tb.Fatal(err)
	}
	return objects
}

// bucketOptions are those of a place of its own in a bucket.
func bucketOptions(tb testing.TB, endpoint, bucket string) s3blobs.Options {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "credentials")
	content := "[default]\naws_access_key_id = " + s3test.AccessKey + "\naws_secret_access_key = " + s3test.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return s3blobs.Options{
		Bucket: bucket, Prefix: strings.ToLower(rand.Text()) + "/", Endpoint: endpoint, Region: s3test.Region, CredentialsFile: file,
	}
}

func openSQLite(tb testing.TB) names.Database {
	tb.Helper()
	db, err := sqlstate.Open(tb.Context(), filepath.Join(tb.TempDir(), "names.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// openPostgreSQL opens a new database as a running node.
func openPostgreSQL(tb testing.TB) names.Database {
	tb.Helper()
	return openNode(tb, pgtest.Database(tb))
}

// openNode opens a database as a running node.
func openNode(tb testing.TB, dsn string) *pgstate.DB {
	tb.Helper()
	db, err := pgstate.Open(tb.Context(), dsn, pgstate.Options{
		Log: slog.New(slog.DiscardHandler), Name: "test",
		// A slow machine must not lose its lease, nor its patience.
		Timing: pgstate.Timing{RenewTimeout: 20 * time.Second, Lease: time.Minute, Missed: 1 << 30, Silent: 1 << 30, Statement: time.Minute, LockWait: 30 * time.Second, Idle: 30 * time.Second},
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Cluster().Run(ctx, func(context.Context, []cluster.Adopted) {}) }()
	tb.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, db.Close()); err != nil {
			tb.Error(err)
		}
	})
	for db.Cluster().Epoch() == "" {
		time.Sleep(time.Millisecond)
	}
	return db
}

// newSite returns an empty storage. Storages of one database are apart by their objects.
func newSite(tb testing.TB, db names.Database, objects blobs.Store) *site {
	tb.Helper()
	space, err := names.Open(tb.Context(), names.Options{Database: db, Identity: objects.Identity()})
	if err != nil {
		tb.Fatal(err)
	}
	return &site{objectfs.New(objectfs.Options{Names: space, Blobs: objects, Inline: inline}), space, objects}
}

// writeOnly are the flags of a file that is open for writing.
const writeOnly = os.O_RDWR

// errKill is the error of a call that would have ended the process.
var errKill = errors.New("killed")

// fileInfo describes a file that may be missing.
type fileInfo struct {
	fs.FileInfo
	name string
}

func (i fileInfo) Name() string    { return i.name }
func (fileInfo) Size() int64       { return 0 }
func (fileInfo) Mode() fs.FileMode { return 0o666 }
func (fileInfo) Sys() any          { return nil }
