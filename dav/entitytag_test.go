package dav

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
)

func TestEntityTag(t *testing.T) {
	file := fileInfo{name: "a", size: 3, modified: time.Unix(1, 2)}
	collection := fileInfo{name: "a", mode: fs.ModeDir, modified: time.Unix(1, 2)}
	version := func(info fs.FileInfo) string {
		v, _ := storage.Version(info)
		return `"` + v + `"`
	}
	for _, c := range []struct {
		name string
		info fs.FileInfo
		want string
	}{
		{"file", file, version(file)},
		{"§15.6 collection", collection, version(collection)},
		{"ETager", taggedInfo{fileInfo: file, etag: `"own!"`}, `"own!"`},
		{"ETager, weak", taggedInfo{fileInfo: file, etag: `W/"own"`}, `W/"own"`},
		{"ETager, empty", taggedInfo{fileInfo: file, etag: `""`}, `""`},
		{"ETager of a collection", taggedInfo{fileInfo: collection, etag: `"own"`}, `"own"`},
		{"ETager that does not know", taggedInfo{fileInfo: file, etag: `"own"`, err: webdav.ErrNotImplemented}, version(file)},
		{"ETager that fails", taggedInfo{fileInfo: file, err: errors.New("broken")}, version(file)},
		{"ETager without quotes", taggedInfo{fileInfo: file, etag: `own`}, version(file)},
		{"ETager without a tag", taggedInfo{fileInfo: file}, version(file)},
		{"ETager, one quote", taggedInfo{fileInfo: file, etag: `"`}, version(file)},
		{"RFC 9110 §8.8.3 a quote in it", taggedInfo{fileInfo: file, etag: `"a"b"`}, version(file)},
		{"RFC 9110 §8.8.3 a space in it", taggedInfo{fileInfo: file, etag: `"a b"`}, version(file)},
		{"RFC 9110 §8.8.3 a line break in it", taggedInfo{fileInfo: file, etag: "\"a\r\nb\""}, version(file)},
		{"RFC 9110 §8.8.3 weak in lower case", taggedInfo{fileInfo: file, etag: `w/"a"`}, version(file)},
	} {
		if got := place.EntityTag(t.Context(), c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
