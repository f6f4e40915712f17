package s3blobs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// large is a size above which an object is sent in parts.
const large = 16 << 20

// open opens a store. The credentials are in a file.
func open(tb testing.TB, o s3blobs.Options) *s3blobs.Store {
	tb.Helper()
	o.Region, o.CredentialsFile = s3test.Region, credentialsFile(tb)
	store, err := s3blobs.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func credentialsFile(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "credentials")
	content := "[default]\naws_access_key_id = " + s3test.AccessKey + "\naws_secret_access_key = " + s3test.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

func TestSuite(t *testing.T) {
	blobstest.Suite{Large: large, New: func(tb testing.TB) blobs.Store {
		tb.Helper()
		endpoint, bucket := s3test.Bucket(tb)
		return open(tb, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Prefix: "davd/x-"})
	}}.Run(t)
}

// TestUnavailable checks the errors of a server that doesn't answer, and of a bucket and
// credentials that don't exist. No error contains a secret.
func TestUnavailable(t *testing.T) {
	endpoint, bucket := s3test.Bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "somebody")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
	for name, o := range map[string]s3blobs.Options{
		"no server":      {Endpoint: "http://127.0.0.1:1", Bucket: bucket, CredentialsFile: credentialsFile(t)},
		"no bucket":      {Endpoint: endpoint, Bucket: "missing", CredentialsFile: credentialsFile(t)},
		"no credentials": {Endpoint: endpoint, Bucket: bucket},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := s3blobs.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			key := blobstest.Key()
			var group sync.WaitGroup
			for call, do := range map[string]func() error{
				"Check":  func() error { return store.Check(t.Context()) },
				"Remove": func() error { return store.Remove(t.Context(), []string{key}) },
				"Create": func() error { return blobstest.Put(t.Context(), store, key, []byte("x"), 1, blobs.Meta{}) },
				"Open": func() error {
					_, err := blobstest.Get(t.Context(), store, key, 0)
					return err
				},
				"List": func() (err error) {
					for _, err = range store.List(t.Context(), "") {
						continue
					}
					return err
				},
			} {
				group.Go(func() {
					err := do()
					if !errors.Is(err, storage.ErrUnavailable) {
						t.Errorf("%s: %v, want storage.ErrUnavailable", call, err)
					}
					if err != nil && (strings.Contains(err.Error(), s3test.SecretKey) || strings.Contains(err.Error(), "a-wrong-secret")) {
						t.Errorf("%s: the error has a secret: %v", call, err)
					}
				})
			}
			group.Wait()
		})
	}
}
