//go:build unix

package quota_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/quota"
)

// writerDir is an environment variable. If it is set, the test program only writes to that
// directory, until it is killed.
const writerDir = "DAVD_TEST_QUOTA_WRITER_DIR"

const killLimit = 1 << 20

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func writeForever(dir string) error {
	fsys, err := local.Open(dir)
	if err != nil {
		return err
	}
	q := quota.New(fsys, quota.Options{Limit: killLimit})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("/f%d", (w*7+n)%20)
				content := strings.Repeat("x", (w*4099+n*977)%100_000)
				err := put(ctx, q, name, content, int64(len(content)*(n%2)))
				if errors.Is(err, syscall.EDQUOT) {
					_ = q.RemoveAll(ctx, name)
				}
			}
		})
	}
	writers.Wait()
	return nil
}

// TestKill kills a process that writes, again and again. The next process finds exactly what
// is in the tree, and that is within the limit.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), writerDir+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(100+round*17) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()

		var onDisk int64
		err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				info, infoErr := d.Info()
				err = infoErr
				onDisk += info.Size()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fsys, err := local.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		q := quota.New(fsys, quota.Options{Limit: killLimit})
		usage, err := q.Usage(t.Context())
		if err != nil || usage.Used != onDisk || onDisk > killLimit || onDisk == 0 {
			t.Errorf("after a kill, the usage is %+v and the disk has %d bytes, error %v", usage, onDisk, err)
		}
		if used, _, err := storage.Space(t.Context(), q, "/"); err != nil || used != onDisk {
			t.Errorf("used %d, error %v", used, err)
		}
		_ = fsys.Close()
	}
}
