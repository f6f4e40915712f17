package storage_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

var (
	author = webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "author"}, InnerXML: []byte("<a>ä</a>")}
	title  = webdav.Property{XMLName: xml.Name{Space: "urn:y", Local: "title"}, Lang: "de", InnerXML: []byte("t")}
)

func wantUnsupported(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want errors.ErrUnsupported", err)
	}
}

// withProps returns a storage whose file /src and collection /dir have both properties.
func withProps(t *testing.T) storage.FS {
	t.Helper()
	fsys := webdav.NewMemFS()
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/src": "x", "/dst": "y", "/dir": "/", "/copy": "/"})
	for _, name := range []string{"/src", "/dir"} {
		f, err := fsys.OpenFile(t.Context(), name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		patch := []webdav.Proppatch{{Props: []webdav.Property{author, title}}}
		holder, ok := f.(webdav.DeadPropsHolder)
		if !ok {
			t.Fatalf("a %T can't store properties", f)
		}
		if _, err := holder.Patch(patch); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

func wantProps(t *testing.T, fsys storage.FS, name string, want ...webdav.Property) {
	t.Helper()
	got, err := storage.ReadDeadProps(t.Context(), fsys, name)
	if err != nil {
		t.Errorf("ReadDeadProps(%q): %v", name, err)
	}
	same := func(a, b webdav.Property) bool {
		return a.XMLName == b.XMLName && a.Lang == b.Lang && slices.Equal(a.InnerXML, b.InnerXML)
	}
	wanted := map[xml.Name]webdav.Property{}
	for _, prop := range want {
		wanted[prop.XMLName] = prop
	}
	if !maps.EqualFunc(got, wanted, same) {
		t.Errorf("%s has the properties %v, want %v", name, got, wanted)
	}
}

func TestReadDeadProps(t *testing.T) {
	fsys := withProps(t)
	wantProps(t, fsys, "/src", author, title)
	wantProps(t, fsys, "/dir", author, title)
	wantProps(t, fsys, "/dst")
	if _, err := storage.ReadDeadProps(t.Context(), fsys, "/no"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadDeadProps of a missing name: %v, want fs.ErrNotExist", err)
	}
	wantProps(t, webdav.Dir(t.TempDir()), "/") // A File of webdav.Dir stores no properties.
}

func TestCopyDeadProps(t *testing.T) {
	fsys := withProps(t)
	for src, dst := range map[string]string{"/src": "/dst", "/dir": "/copy"} {
		if err := storage.CopyDeadProps(t.Context(), fsys, src, fsys, dst); err != nil {
			t.Error(err)
		}
		wantProps(t, fsys, dst, author, title)
	}
	if err := storage.CopyDeadProps(t.Context(), fsys, "/src", fsys, "/no"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CopyDeadProps to a missing name: %v, want fs.ErrNotExist", err)
	}
}

// TestCopyNoDeadProps checks that CopyDeadProps opens nothing if the source has no properties.
func TestCopyNoDeadProps(t *testing.T) {
	fault := &storagetest.Fault{
		FS: openLocal(t, t.TempDir()),
		Before: func(op, name string) error {
			if op != "readdeadprops" {
				t.Errorf("%s %s", op, name)
			}
			return nil
		},
	}
	if err := storage.CopyDeadProps(t.Context(), fault, "/src", fault, "/dst"); err != nil {
		t.Error(err)
	}
}

// split stores properties apart from its files, which can't store any.
type split struct {
	storage.FS
	props map[xml.Name]webdav.Property
}

func (s split) ReadDeadProps(context.Context, string) (map[xml.Name]webdav.Property, error) {
	return s.props, nil
}

func TestCopyDeadPropsUnsupported(t *testing.T) {
	fsys := split{openLocal(t, t.TempDir()), map[xml.Name]webdav.Property{author.XMLName: author}}
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/src": "x", "/dst": "y"})
	wantUnsupported(t, storage.CopyDeadProps(t.Context(), fsys, "/src", fsys, "/dst"))
}

// TestCopyDeadPropsFaults makes each call fail in turn.
func TestCopyDeadPropsFaults(t *testing.T) {
	errFault := errors.New("fault")
	for n := 1; ; n++ {
		calls := 0
		var failed string
		fault := &storagetest.Fault{FS: withProps(t), Before: func(op, name string) error {
			if calls++; calls == n {
				failed = op + " " + name
				return errFault
			}
			return nil
		}}
		err := storage.CopyDeadProps(t.Context(), fault, "/src", fault, "/dst")
		if failed == "" {
			if err != nil || n < 4 {
				t.Errorf("%d calls, then %v", n-1, err)
			}
			return
		}
		if !errors.Is(err, errFault) && failed != "close /dst" {
			t.Errorf("%s failed: %v", failed, err)
		}
	}
}
