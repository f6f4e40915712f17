package objectfs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// uploaderEnv makes the test binary an uploader, which is killed in the middle of an upload.
const uploaderEnv = "DAVD_OBJECTFS_UPLOADER"

// uploader is where an upload goes.
type uploader struct {
	Database                                  string
	Endpoint, Bucket, Prefix, CredentialsFile string
}

func (u uploader) open(ctx context.Context) (*site, func() error, error) {
	objects, err := s3blobs.Open(ctx, s3blobs.Options{
		Endpoint: u.Endpoint, Bucket: u.Bucket, Prefix: u.Prefix, Region: s3test.Region, CredentialsFile: u.CredentialsFile,
	})
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlstate.Open(ctx, u.Database)
	if err != nil {
		return nil, nil, err
	}
	space, err := names.Open(ctx, names.Options{Database: db, Identity: objects.Identity()})
	if err != nil {
		return nil, nil, err
	}
	return &site{objectfs.New(objectfs.Options{Names: space, Blobs: objects, Inline: inline}), space, objects}, db.Close, nil
}

// upload writes half of a file of 100 MiB, says so, and waits.
func upload(ctx context.Context, text string) error {
	var u uploader
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		return err
	}
	s, _, err := u.open(ctx)
	if err != nil {
		return err
	}
	r, err := s.ReplaceFile(ctx, "/large", storage.Replacing{Perm: 0o666, Size: 100 << 20})
	if err != nil {
		return err
	}
	if _, err := r.Write(make([]byte, 50<<20)); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("half\n"); err != nil {
		return err
	}
	select {}
}

// TestKilledUpload kills a process in the middle of an upload in parts. They are removed when they are a
// day old, and not before.
func TestKilledUpload(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	o := bucketOptions(t, endpoint, bucket)
	u := uploader{filepath.Join(t.TempDir(), "names.db"), endpoint, bucket, o.Prefix, o.CredentialsFile}
	text, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), uploaderEnv+"="+string(text)), os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "half\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // It was killed.
	killed := time.Now()

	s, closeDB, err := u.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeDB(); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		age        time.Duration
		gone, left int
	}{{0, 0, 1}, {23*time.Hour + 58*time.Minute, 0, 1}, {24*time.Hour + time.Minute, 1, 0}} {
		c := &objectfs.Collector{FS: s.FS, Names: s.names}
		c.SetClock(func() time.Time { return killed.Add(tt.age) })
		done, err := c.Collect(t.Context(), true)
		if err != nil || done.Unfinished != tt.gone {
			t.Errorf("after %s: removed %+v, %v", tt.age, done, err)
		}
		uploads, err := s3test.Client(endpoint).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket, Prefix: &o.Prefix})
		if err != nil || len(uploads.Uploads) != tt.left {
			t.Errorf("after %s: %d uploads are left, want %d: %v", tt.age, len(uploads.Uploads), tt.left, err)
		}
	}
}
