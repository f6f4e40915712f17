package objectfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// errGone is the error of a client that has gone.
var errGone = errors.New("the client has gone")

// leaving is a client that takes so many bytes, and then goes.
type leaving struct{ left int }

func (l *leaving) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left <= 0 {
		return 0, errGone
	}
	return len(p), nil
}

// TestRangeBytes counts what S3 sends for parts of a large file: what is asked for and little else. A
// client that asks for the rest, and goes soon, costs what the buffers of the connections hold.
func TestRangeBytes(t *testing.T) {
	endpoint, bucket := s3test.Bucket(t)
	relay, sent := s3test.Counted(t, endpoint)
	s := newSite(t, openSQLite(t), openBucket(t, relay, bucket))
	const size = 96 << 20
	content := make([]byte, size)
	for i := 0; i < size; i += 512 {
		content[i] = byte(rand.Uint32())
	}
	s.put(t, "/video", string(content))
	seek := func(t *testing.T, f storage.File, offset int64) {
		t.Helper()
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	// What an abandoned connection still has is counted later, so those are the last.
	for _, tt := range []struct {
		name  string
		use   func(t *testing.T, f storage.File)
		bound int64
	}{
		{"reading everything", func(t *testing.T, f storage.File) {
			t.Helper()
			if got, err := io.ReadAll(struct{ io.Reader }{f}); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}, size + 64<<10},
		{"a range", func(t *testing.T, f storage.File) {
			t.Helper()
			seek(t, f, 10<<20)
			var got bytes.Buffer
			if n, err := storage.SendTo(&got, f, 3<<20); n != 3<<20 || err != nil || !bytes.Equal(got.Bytes(), content[10<<20:13<<20]) {
				t.Errorf("%d bytes, %v", n, err)
			}
		}, 3<<20 + 8<<10},
		{"many small ranges", func(t *testing.T, f storage.File) {
			t.Helper()
			for i := range int64(20) {
				seek(t, f, i<<22)
				if n, err := storage.SendTo(io.Discard, f, 1000); n != 1000 || err != nil {
					t.Errorf("%d bytes, %v", n, err)
				}
			}
		}, 20 * 2000},
		{"reading here and there", func(t *testing.T, f storage.File) {
			t.Helper()
			for i := range int64(5) {
				seek(t, f, 80<<20-i<<22)
				if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
					t.Error(err)
				}
			}
		}, 5*(1<<20) + 16<<10},
		{"a client that goes", func(t *testing.T, f storage.File) {
			t.Helper()
			if n, err := storage.SendTo(&leaving{1 << 20}, f, size); !errors.Is(err, errGone) {
				t.Errorf("%d bytes, %v", n, err)
			}
		}, 40 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _, err := s.OpenRead(t.Context(), "/video")
			if err != nil {
				t.Fatal(err)
			}
			before := sent.Load()
			tt.use(t, f)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if got := sent.Load() - before; got > tt.bound {
				t.Errorf("S3 has sent %d bytes, more than %d", got, tt.bound)
			} else {
				t.Logf("S3 has sent %d bytes", got)
			}
		})
	}
}

// TestLostObject: to read a file whose object is missing is an error, but not that the file doesn't exist.
func TestLostObject(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	s.put(t, "/f", long)
	node, err := s.names.Find(t.Context(), "/f")
	if err == nil {
		err = s.blobs.Remove(t.Context(), []string{node.Blob})
	}
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := s.OpenRead(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(make([]byte, 1)); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), node.Blob) {
		t.Errorf("%v", err)
	}
}
