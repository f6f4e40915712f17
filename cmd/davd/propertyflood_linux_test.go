package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// TestPropertyFlood has a database from before the limits, with many properties of 1 MiB on
// one file. Six clients request all of them at the same time, and others request one that is
// missing. davd must not need more than 250 MiB.
func TestPropertyFlood(t *testing.T) {
	const size, limit = 1 << 20, 250 // bytes, MiB
	count := sweep.Size(60, 300)
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	db, err := sqlstate.Open(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	value := bytes.Repeat([]byte("v"), size)
	var patch webdav.Proppatch
	for i := range count {
		patch.Props = append(patch.Props, webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: fmt.Sprint("p", i)}, InnerXML: value})
	}
	if err := db.Patch(t.Context(), "/f", []webdav.Proppatch{patch}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := startDavd(t, "--state", state, dir)
	const missing = `<propfind xmlns="DAV:"><prop><x xmlns="urn:none"/></prop></propfind>`
	for range 20 {
		if status, length, err := s.send("PROPFIND", "/f", missing, "Depth: 0"); err != nil || status != 207 || length > 1000 {
			t.Errorf("the missing one: %d with %d bytes, %v", status, length, err)
		}
	}
	afterMissing := s.memory("VmHWM")
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			status, length, err := s.send("PROPFIND", "/", "", "Depth: 1")
			if err != nil || status != 207 || length < int64(count)*size {
				t.Errorf("all: %d with %d bytes, %v", status, length, err)
			}
		})
	}
	clients.Wait()
	peak := s.memory("VmHWM")
	t.Logf("%d properties of %d bytes: %d MiB after those that were missing, %d MiB after all", count, size, afterMissing, peak)
	if afterMissing > 100*raceMemory || peak > limit*raceMemory {
		t.Errorf("davd needed %d and %d MiB, want 100 and %d at most", afterMissing, peak, limit)
	}
}

// TestPropertiesRefused checks that properties of 1 MB are refused, and that davd needs at most
// 100 MiB.
func TestPropertiesRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s := startDavd(t, "--state", filepath.Join(t.TempDir(), "state.db"), dir)
	value := strings.Repeat("v", 1_000_000)
	for i := range sweep.Size(30, 300) {
		body := fmt.Sprintf(`<propertyupdate xmlns="DAV:"><set><prop><p%d xmlns="urn:x">%s</p%d></prop></set></propertyupdate>`, i, value, i)
		if status, _, err := s.send("PROPPATCH", "/f", body); err != nil || status != 207 {
			t.Fatalf("PROPPATCH: %d, %v", status, err)
		}
	}
	if _, length, err := s.send("PROPFIND", "/f", "", "Depth: 0"); err != nil || length > 2000 {
		t.Errorf("the file has properties of %d bytes, %v", length, err)
	}
	if peak := s.memory("VmHWM"); peak > 100*raceMemory {
		t.Errorf("davd needed %d MiB, want 100 at most", peak)
	}
}

// TestLockOwnerFlood checks that many locks with owners of 8 KiB take up at most 150 MiB. Locks
// beyond the limit for all owners are refused, but locks without an owner are not.
func TestLockOwnerFlood(t *testing.T) {
	s := startDavd(t, "--state", "mem", t.TempDir())
	count, granted := sweep.Size(1500, 10_000), 0
	body := `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>%s</owner></lockinfo>`
	large := fmt.Sprintf(body, strings.Repeat("o", 8<<10))
	for i := range count {
		status, _, err := s.send("LOCK", fmt.Sprint("/f", i), large, "Depth: 0")
		switch {
		case err == nil && status == 201:
			granted++
		case err != nil || status != 507:
			t.Fatalf("LOCK %d: %d, %v", i, status, err)
		}
	}
	// All owners may have 8 MiB together. A client without a name may have three quarters of
	// that (storage/lock).
	if granted != 768 {
		t.Errorf("%d locks with owners of 8 KiB were granted, want 768", granted)
	}
	if status, _, err := s.send("LOCK", "/none", fmt.Sprintf(body, ""), "Depth: 0"); err != nil || status != 201 {
		t.Errorf("a lock without an owner: %d, %v", status, err)
	}
	peak := s.memory("VmHWM")
	t.Logf("%d locks: %d MiB", count, peak)
	if peak > 150*raceMemory {
		t.Errorf("davd needed %d MiB, want 150 at most", peak)
	}
}
