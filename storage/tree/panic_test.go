package tree_test

import (
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// TestPanicIsTheCallers: in whatever goroutine the storage panics, the caller can
// recover from it, and no goroutine is left waiting.
func TestPanicIsTheCallers(t *testing.T) {
	for _, op := range []string{"open", "write", "mkdir", "readdir", "stat"} {
		t.Run(op, func(t *testing.T) {
			panics := false
			fault := &storagetest.Fault{FS: webdav.NewMemFS(), Before: func(called, _ string) error {
				if panics && called == op {
					panic("storage")
				}
				return nil
			}}
			storagetest.WriteTree(t, fault, storagetest.Tree{"/src": "/", "/src/a": "x", "/src/c": "/", "/src/c/b": "y"})
			panics = true
			defer func() {
				if cause := recover(); cause != "storage" {
					t.Errorf("recovered %v", cause)
				}
			}()
			err := copyTree(t.Context(), fault, "/src", "/dst", tree.Infinite, nil)
			t.Errorf("Copy returned %v", err)
		})
	}
}
