package pgstate

import (
	"crypto/rand"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// bucket is a place for objects in a bucket. Other processes can open it too.
type bucket struct{ Endpoint, Bucket, Prefix, Credentials string }

// newBucket returns an empty place on an S3 server.
func newBucket(t *testing.T) bucket {
	t.Helper()
	b := bucket{Prefix: strings.ToLower(rand.Text()) + "/", Credentials: filepath.Join(t.TempDir(), "credentials")}
	b.Endpoint, b.Bucket = s3test.Bucket(t)
	content := "[default]\naws_access_key_id = " + s3test.AccessKey + "\naws_secret_access_key = " + s3test.SecretKey + "\n"
	if err := os.WriteFile(b.Credentials, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// at opens the place through a proxy with another endpoint.
func (b bucket) at(t *testing.T, endpoint string) blobs.Store {
	t.Helper()
	store, err := s3blobs.Open(t.Context(), s3blobs.Options{
		Bucket: b.Bucket, Prefix: b.Prefix, Endpoint: endpoint, Region: s3test.Region, CredentialsFile: b.Credentials,
	})
	if err != nil {
		t.Fatal(err)
	}
	// The name space belongs to the place, however it is reached.
	return placed{store, b.Bucket + "/" + b.Prefix}
}

func (b bucket) open(t *testing.T) blobs.Store {
	t.Helper()
	return b.at(t, b.Endpoint)
}

// placed is a store with a name of its own.
type placed struct {
	blobs.Store

	identity string
}

func (p placed) Identity() string { return p.identity }

// collect removes what no file needs, as far as s can.
func (s *site) collect(t *testing.T) {
	t.Helper()
	c := &objectfs.Collector{FS: s.fsys, Names: s.names, Grace: -1}
	if _, err := c.Collect(t.Context(), true); err != nil {
		t.Error(err)
	}
}

// agrees checks that names and objects agree after the collector has run, and that no work is left.
func (s *site) agrees(t *testing.T) {
	t.Helper()
	checked, err := objectfs.Check(t.Context(), s.names, s.blobs, objectfs.Checking{
		Content: true, Found: func(p objectfs.Problem) { t.Errorf("problem: %+v", p) },
	})
	if err != nil || checked.Waiting != 0 {
		t.Errorf("%d objects are left that no file has: %v", checked.Waiting, err)
	}
	if n := count(t, s.db, "SELECT (SELECT count(*) FROM work) + (SELECT count(*) FROM claims)"); n > 0 {
		t.Errorf("%d works and claims are left", n)
	}
	if n := count(t, s.db, "SELECT count(*) FROM operations WHERE ended IS NULL"); n > 0 {
		t.Errorf("%d operations have not ended", n)
	}
}

// reserved reports whether a name in the description of a collection is reserved.
func reserved(name string) bool { return storage.Reserved(path.Clean("/" + name)) }

// glance is look without reserved names, which may be removed meanwhile.
func (s *site) glance(t *testing.T, dir string) storagetest.Tree {
	t.Helper()
	tree := storagetest.Tree{}
	s.glanceInto(t, dir, tree)
	return s.describe(t, dir, tree)
}

func (s *site) glanceInto(t *testing.T, dir string, tree storagetest.Tree) {
	t.Helper()
	for info, err := range storage.ReadDir(t.Context(), s.fsys, dir) {
		if err != nil {
			t.Fatal(err)
		}
		switch name := path.Join(dir, info.Name()); {
		case storage.Reserved(name):
		case info.IsDir():
			tree[name] = "/"
			s.glanceInto(t, name, tree)
		default:
			tree[name] = s.content(t, name)
		}
	}
}

func (s *site) content(t *testing.T, name string) string {
	t.Helper()
	f, err := s.fsys.OpenFile(t.Context(), name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// settled waits until nothing works on the collection dir any more and no stage is left there. It returns
// what the collection has then.
func (s *site) settled(t *testing.T, dir string) storagetest.Tree {
	t.Helper()
	eventually(t, "the works are settled and no stage is left", func() bool {
		for info, err := range storage.ReadDir(t.Context(), s.fsys, dir) {
			if err != nil || reserved(info.Name()) {
				return false
			}
		}
		return count(t, s.db, "SELECT count(*) FROM work") == 0
	})
	return s.look(t, dir)
}
