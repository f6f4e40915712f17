package quota_test

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/quota"
)

const keptStage = storage.ReservedPrefix + "upload-1"

// more adds content to the kept content of length from.
func more(t *testing.T, q *quota.FS, from int64, content string) (storage.Replacement, error) {
	t.Helper()
	r, err := storage.ReplaceFile(t.Context(), q, "/file", storage.Replacing{Perm: 0o666, Kept: keptStage, From: from})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(r, content)
	return r, err
}

// TestKept checks that kept content counts, also for an FS that finds it at its first walk.
func TestKept(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			fsys := open(t)
			q := quota.New(fsys, quota.Options{Limit: 10})
			r, err := more(t, q, 0, "0123")
			if err := errors.Join(err, storage.Keep(t.Context(), r, storage.SyncNever)); err != nil {
				t.Fatal(err)
			}
			check(t, q)
			for _, q := range []*quota.FS{q, quota.New(fsys, quota.Options{Limit: 10})} {
				r, err := more(t, q, 4, "4567890")
				if !errors.Is(err, syscall.EDQUOT) {
					t.Errorf("11 bytes of 10: %v", err)
				}
				if err := storage.Keep(t.Context(), r, storage.SyncNever); err != nil {
					t.Fatal(err)
				}
				check(t, q)
			}
			q = quota.New(fsys, quota.Options{Limit: 10})
			if r, err = more(t, q, 2, "2345"); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
				t.Fatal(err)
			}
			check(t, q)
			if usage, err := q.Usage(t.Context()); err != nil || usage.Used != 6 {
				t.Errorf("the usage is %+v, %v; want 6 bytes", usage, err)
			}
		})
	}
}

// TestKeptDiscarded checks that content that ends without a commit doesn't count.
func TestKeptDiscarded(t *testing.T) {
	q := quota.New(openLocal(t), quota.Options{Limit: 10})
	r, err := more(t, q, 0, "0123")
	if err := errors.Join(err, storage.Keep(t.Context(), r, storage.SyncNever)); err != nil {
		t.Fatal(err)
	}
	r, err = more(t, q, 4, "4")
	if err := errors.Join(err, r.Discard()); err != nil {
		t.Fatal(err)
	}
	check(t, q)
	if usage, err := q.Usage(t.Context()); err != nil || usage.Used != 0 {
		t.Errorf("the usage is %+v, %v; want none", usage, err)
	}
}
