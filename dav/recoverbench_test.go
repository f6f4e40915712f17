//go:build unix

package dav_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkJournalled measures the cost of the journal: a MOVE there and back and a
// COPY of a small file, through a Handler with its state on disk.
func BenchmarkJournalled(b *testing.B) {
	for _, bb := range []struct {
		name, method string
		journalled   bool
		dst          bool
	}{
		{"MOVE", "MOVE", true, false},
		{"MOVE/without", "MOVE", false, false},
		{"MOVE onto a collection", "MOVE", true, true},
		{"MOVE onto a collection/without", "MOVE", false, true},
		{"COPY", "COPY", true, false},
		{"COPY/without", "COPY", false, false},
	} {
		b.Run(bb.name, func(b *testing.B) {
			dir := b.TempDir()
			share := filepath.Join(dir, "share")
			if err := os.MkdirAll(filepath.Join(share, "a"), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(share, "f"), nil, 0o644); err != nil {
				b.Fatal(err)
			}
			s, err := openSite(dir, "exchange", func() {})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.close() }()
			if !bb.journalled {
				s.State = &parts{State: s.State, history: s.State.History()}
			}
			src, dst := "/a", "/b"
			for b.Loop() {
				if bb.method == "COPY" {
					src, dst = "/f", "/g"
				} else if bb.dst {
					_ = os.Mkdir(filepath.Join(share, dst), 0o755)
				}
				r := httptest.NewRequest(bb.method, "http://h"+src, http.NoBody)
				r.Header.Set("Destination", "http://h"+dst)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code/100 != 2 {
					b.Fatal(w.Code)
				}
				src, dst = dst, src
			}
		})
	}
}
