package objectfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names"
)

// ErrNotEmpty says that a name space can't be rebuilt, because it has files.
var ErrNotEmpty = errors.New("the name space has files already")

// Rebuilt is an object that [Rebuild] has made a file of.
type Rebuilt struct {
	Key string
	// Name is the name of the file, and Wanted the one that was stored with the object. They differ
	// if another object, which is newer, has that name, or if nothing can have it.
	Name, Wanted string
	Size         int64
}

// Rebuild makes the files of an empty name space from all objects, with the names that were stored
// with them. A later MOVE or COPY of a file is not stored there, and neither is its removal: files
// that were removed or replaced a short time ago come back, the older ones with a suffix.
// The times of objects in S3 are exact to the second only. Content
// that was only in the database is lost. Rebuild calls made after each file. No collector may run
// meanwhile.
func Rebuild(ctx context.Context, rows names.Store, objects blobs.Store, made func(Rebuilt)) error {
	members, err := rows.Members(ctx, rows.Root(), "", 1)
	if err != nil {
		return err
	}
	if len(members) > 0 {
		return ErrNotEmpty
	}
	r := &rebuilding{names: rows, blobs: objects}
	for listed, err := range objects.List(ctx, "") {
		if err != nil {
			return err
		}
		object, err := objects.Stat(ctx, listed.Key)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return err
		}
		name, err := r.add(ctx, object)
		if err != nil {
			return fmt.Errorf("the object %s: %w", object.Key, err)
		}
		made(Rebuilt{Key: object.Key, Name: name, Wanted: object.Meta.Name, Size: object.Size})
	}
	return nil
}

// rebuilding is the state of Rebuild.
type rebuilding struct {
	names names.Store
	blobs blobs.Store
}

// lostNames is the collection for objects whose names can't be used.
const lostNames = "/recovered"

// add makes a file of object, and returns its name.
func (r *rebuilding) add(ctx context.Context, object blobs.Object) (string, error) {
	name := storage.Clean(object.Meta.Name)
	if object.Meta.Name == "" || name == "/" || check(name, fs.ErrInvalid) != nil || storage.Reserved(name) || strings.Count(name, "/") > maxDepth {
		name = path.Join(lostNames, object.Key)
	}
	parent, err := r.collection(ctx, path.Dir(name))
	if err != nil {
		return "", err
	}
	name = path.Join(parent, path.Base(name))
	old, err := r.names.Find(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	default:
		newer, err := r.newer(ctx, object, old)
		if err != nil {
			return "", err
		}
		if !newer {
			name = suffixed(name, object.Key)
		} else if err := r.names.Rename(ctx, name, suffixed(name, old.Blob), false); err != nil {
			return "", err
		}
	}
	return name, r.put(ctx, name, object)
}

func (r *rebuilding) put(ctx context.Context, name string, object blobs.Object) error {
	modified := object.Meta.Modified
	if modified.IsZero() {
		modified = object.Modified
	}
	content := names.Content{Blob: object.Key, Size: object.Size}
	_, err := r.names.Put(ctx, name, content, names.Placing{Perm: 0o666, Modified: modified, Create: true, Rebuilt: true})
	return err
}

// newer reports whether object is newer than that of the file old.
func (r *rebuilding) newer(ctx context.Context, object blobs.Object, old names.Node) (bool, error) {
	if old.Dir || old.Blob == "" {
		return false, nil
	}
	other, err := r.blobs.Stat(ctx, old.Blob)
	if isMissing(err) {
		return true, nil
	}
	return err == nil && object.Modified.After(other.Modified), err
}

// collection makes the collection name, and returns its name. If a file has the name, or that of a
// collection on the way, the collection gets a suffix.
func (r *rebuilding) collection(ctx context.Context, name string) (string, error) {
	if name == "/" {
		return name, nil
	}
	parent, err := r.collection(ctx, path.Dir(name))
	if err != nil {
		return "", err
	}
	name = path.Join(parent, path.Base(name))
	for range mostTries {
		_, err = r.names.Mkdir(ctx, name, 0o777)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
		node, err := r.names.Find(ctx, name)
		if err != nil || node.Dir {
			return name, err
		}
		name += "-members"
	}
	return "", syscall.ENOTDIR
}

// suffixed returns name with the last letters of key before its extension.
func suffixed(name, key string) string {
	dir, base := path.Split(name)
	ext := path.Ext(base)
	if ext == base {
		ext = ""
	}
	stem := strings.TrimSuffix(base, ext)
	suffix := "-" + key[max(len(key)-8, 0):]
	if room := maxSegment - len(suffix) - len(ext); len(stem) > room {
		stem = strings.ToValidUTF8(stem[:max(room, 0)], "")
	}
	return dir + stem + suffix + ext
}
