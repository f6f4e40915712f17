package dav_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
)

// clampedTimes is a filesystem that replaces times after last by last, like ext4 with
// small inodes.
type clampedTimes struct {
	storage.FS
	last time.Time
}

func (f clampedTimes) SetTimes(ctx context.Context, name string, modified time.Time) error {
	if modified.After(f.last) {
		modified = f.last
	}
	return storage.SetTimes(ctx, f.FS, name, modified)
}

// TestProppatchFarTimes checks that a time is either stored exactly or refused with a
// reason, and that nothing changes then (RFC 4918 §9.2).
func TestProppatchFarTimes(t *testing.T) {
	for _, year := range []int{1, 1600, 1677, 1678, 1900, 1969, 2037, 2039, 2107, 2262, 2263, 2300, 2446, 2500, 9999} {
		far := time.Date(year, time.June, 5, 4, 3, 2, 0, time.UTC)
		for _, b := range []struct {
			name string
			fsys func(t *testing.T) storage.FS
			kept func(time.Time) bool // nil: not known
		}{
			{"local", func(t *testing.T) storage.FS { fsys, _ := openLocal(t); return fsys }, nil},
			{"afero on the disk", func(t *testing.T) storage.FS {
				return aferofs.New(afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()))
			}, nil},
			{"afero in memory", func(*testing.T) storage.FS { return aferofs.New(afero.NewMemMapFs()) }, func(time.Time) bool { return true }},
			{"up to 2038", func(*testing.T) storage.FS {
				return clampedTimes{aferofs.New(afero.NewMemMapFs()), time.Unix(1<<31-1, 0)}
			}, func(far time.Time) bool { return far.Unix() < 1<<31 }},
		} {
			t.Run(b.name+"/"+strconv.Itoa(year), func(t *testing.T) {
				for _, props := range []string{
					"<D:getlastmodified>" + far.Format(http.TimeFormat) + "</D:getlastmodified>",
					win32Prop("Win32LastModifiedTime", far.Format(http.TimeFormat)),
				} {
					s := serve(t, b.fsys(t), &dav.Handler{}, garden())
					before := modTime(s, "/f")
					a := s.send("PROPPATCH", "/f", instructions(set(props+"<x:a>1</x:a>")))
					kept := strings.Count(a.body, "200 OK") == 1 && strings.Contains(a.body, "</D:prop><D:status>HTTP/1.1 200 OK")
					if b.kept != nil && kept != b.kept(far) {
						t.Errorf("kept is %t: %s", kept, a.body)
					}
					after := modTime(s, "/f")
					if kept {
						if !after.Equal(far) {
							t.Errorf("it is %v, want %v", after, far)
						}
						s.has("/f", "a", "1")
						continue
					}
					if !strings.Contains(a.body, "409 Conflict</D:status><D:responsedescription>the server's filesystem") ||
						!strings.Contains(a.body, "424 Failed Dependency") {
						t.Errorf("no 409 with a reason: %s", a.body)
					}
					if !after.Equal(before) {
						t.Errorf("it was %v and is %v", before, after)
					}
					s.hasNot("/f", "a")
				}
			})
		}
	}
}

func modTime(s *share, name string) time.Time {
	s.Helper()
	info, err := s.fsys.Stat(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return info.ModTime()
}

// TestPutFarTimes checks that X-OC-Mtime is confirmed only if the file has that time.
func TestPutFarTimes(t *testing.T) {
	for _, year := range []int{1600, 1900, 2039, 2263, 2300, 9999} {
		far := time.Date(year, time.June, 5, 4, 3, 2, 0, time.UTC)
		s := serveLocal(t, &dav.Handler{}, garden())
		a := s.send("PUT", "/new", "x", "X-OC-Mtime: "+strconv.FormatInt(far.Unix(), 10))
		if accepted := a.header.Get("X-OC-Mtime") == "accepted"; a.status != 201 || accepted != (modTime(s, "/new").Unix() == far.Unix()) {
			t.Errorf("year %d: %d, accepted is %t, the file has %v", year, a.status, accepted, modTime(s, "/new"))
		}
	}
}
