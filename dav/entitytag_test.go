package dav

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/infotest"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
)

func TestEntityTag(t *testing.T) {
	file := infotest.Info{Base: "a", Length: 3, Modified: time.Unix(1, 2)}
	collection := infotest.Info{Base: "a", FileMode: fs.ModeDir, Modified: time.Unix(1, 2)}
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
		{"ETager", infotest.Tagged{Info: file, Tag: `"own!"`}, `"own!"`},
		{"ETager, weak", infotest.Tagged{Info: file, Tag: `W/"own"`}, `W/"own"`},
		{"ETager, empty", infotest.Tagged{Info: file, Tag: `""`}, `""`},
		{"ETager of a collection", infotest.Tagged{Info: collection, Tag: `"own"`}, `"own"`},
		{"ETager that does not know", infotest.Tagged{Info: file, Tag: `"own"`, Err: webdav.ErrNotImplemented}, version(file)},
		{"ETager that fails", infotest.Tagged{Info: file, Err: errors.New("broken")}, version(file)},
		{"ETager without quotes", infotest.Tagged{Info: file, Tag: `own`}, version(file)},
		{"ETager without a tag", infotest.Tagged{Info: file}, version(file)},
		{"ETager, one quote", infotest.Tagged{Info: file, Tag: `"`}, version(file)},
		{"RFC 9110 §8.8.3 a quote in it", infotest.Tagged{Info: file, Tag: `"a"b"`}, version(file)},
		{"RFC 9110 §8.8.3 a space in it", infotest.Tagged{Info: file, Tag: `"a b"`}, version(file)},
		{"RFC 9110 §8.8.3 a line break in it", infotest.Tagged{Info: file, Tag: "\"a\r\nb\""}, version(file)},
		{"RFC 9110 §8.8.3 weak in lower case", infotest.Tagged{Info: file, Tag: `w/"a"`}, version(file)},
	} {
		if got := place.EntityTag(t.Context(), c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
