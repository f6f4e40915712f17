package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// TestReplaceVanishing: a file that other servers create and remove can be replaced at any moment.
func TestReplaceVanishing(t *testing.T) {
	dir := t.TempDir()
	var n atomic.Int64
	fsys, err := local.OpenWith(dir, local.Options{Stage: func() string { return storage.ReservedPrefix + string(rune('a'+n.Add(1)%26)) }})
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	name := filepath.Join(dir, "f")
	stop := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = os.WriteFile(name, nil, 0o600)
				_ = os.Remove(name)
			}
		}
	})
	for range 20_000 {
		r, err := storage.ReplaceFile(t.Context(), fsys, "/f", storage.Replacing{Perm: 0o666, Canonical: true})
		if err != nil {
			t.Error(err)
			break
		}
		if err := r.Discard(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	other.Wait()
}
