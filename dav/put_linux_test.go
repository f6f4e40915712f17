package dav_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/dav"
)

// TestPutNoRoomOnDisk checks that a client that waits for the 100 (Continue) never
// sends a body that does not fit, whether the filesystem reports its free space or
// reserving it fails (RFC 9110 §10.1.1). A client that does not wait also gets the
// status.
func TestPutNoRoomOnDisk(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent bool // about the room that there is
	}{{"statfs", false}, {"fallocate", true}} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{PartialPut: true}, garden())
			small := filepath.Join(s.dir, "small")
			if err := os.Mkdir(small, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
				t.Fatalf("a tmpfs can't be mounted, which needs root: %v", err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(small, unix.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			if c.silent {
				s.fail(errors.ErrUnsupported, "space", "/small")
			}
			s.sends(201, "PUT", "/small/f", "old")
			for _, request := range []string{
				"PUT /small/f HTTP/1.1\n",
				"PUT /small/new HTTP/1.1\n",
				"PUT /small/f HTTP/1.1\nContent-Range: bytes 3-2097154/*\n",
				"PATCH /small/f HTTP/1.1\n" + patchType + "\nX-Update-Range: append\n",
			} {
				connection := s.dial()
				connection.write(request + "Expect: 100-continue\nContent-Length: 2097152\n\n")
				if got := connection.status(); got != 507 {
					t.Errorf("%s: %d, want 507", request, got)
				}
			}
			s.sends(507, "PUT", "/small/f", string(make([]byte, 2<<20)))
			s.holds(garden().with(layout{"/small/": "", "/small/f": "old"}))
		})
	}
}
