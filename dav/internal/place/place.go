// Package place finds out which resource a name leads to, through symbolic links and the
// spellings of names.
package place

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// Place is the resource that a name leads to. A resource may have several names, through
// symbolic links or because the file system folds names. Locks, claims and properties
// belong to the resource, so they use its key, which is the same for every name. A
// tenant.View translates keys for state that tenants share.
//
// The Handler calls the storage with the canonical name, which contains no link, so
// that swapping a link after the check has no effect. One gap remains: if another
// process replaces a collection in the canonical name by a link between the last check
// and the call, MKCOL, PROPPATCH, COPY, MOVE and DELETE follow that link. PUT and PATCH
// don't (storage.Replacing.Canonical). Hard links and bind mounts count as separate
// resources.
type Place struct {
	// Asked is the storage name that the client used. Answers show it.
	Asked string
	// Canon has the canonical name, which the storage gets, and the key. A lock on a
	// collection protects the Links in it and everything below them.
	storage.Canon
}

// Parent is the key of the collection that contains p.
func (p Place) Parent() string { return path.Dir(p.Key) }

// Resolver finds out which resource of fs a name leads to.
type Resolver struct{ FS storage.FS }

var errReserved = status.New(http.StatusForbidden, "the name leads to a path that is reserved for the server")

// Place returns the place that name leads to. If name ends in a symbolic link, follow
// decides whether that is the link's target or, as DELETE and MOVE need, the link.
func (r Resolver) Place(ctx context.Context, name string, follow bool) (Place, error) {
	canon, err := storage.Canonical(ctx, r.FS, name, follow)
	if err != nil {
		return Place{}, err
	}
	if storage.Reserved(canon.Name) && !storage.Reserved(name) {
		return Place{}, errReserved
	}
	return Place{name, canon}, nil
}

// PlaceAt returns the place of name. info describes name, and may save a call of the
// storage.
func (r Resolver) PlaceAt(ctx context.Context, name string, info fs.FileInfo) (Place, error) {
	if storage.Direct(info) {
		return Place{name, storage.Canon{Name: name, Key: name}}, nil
	}
	return r.Place(ctx, name, true)
}

// Member returns the place of a member of the collection p. The member must not be a
// link.
func (p Place) Member(segment string) Place {
	return Place{path.Join(p.Asked, segment), p.Canon.Member(segment)}
}

// Unmoved returns an error if the canonical name of p now leads elsewhere. Call it
// under the claim: before that, another process may have put a link into the path.
func (r Resolver) Unmoved(ctx context.Context, p Place, follow bool) error {
	now, err := r.Place(ctx, p.Name, follow)
	if err == nil && (now.Name != p.Name || now.Key != p.Key) {
		err = ErrMoved
	}
	return err
}

// Find returns the place of name and describes the resource there. For a symbolic link,
// the place is that of the link itself, but the description is that of its target.
func (r Resolver) Find(ctx context.Context, name string) (Place, fs.FileInfo, error) {
	if info, err := r.Stat(ctx, name); err == nil && storage.Direct(info) {
		return Place{name, storage.Canon{Name: name, Key: name}}, info, nil
	}
	at, err := r.Place(ctx, name, false)
	if err != nil {
		return Place{}, nil, err
	}
	info, err := r.Stat(ctx, at.Name)
	return at, info, err
}

// Look describes the resource at p. Call it under the claim: it fails if the canonical
// name of p leads elsewhere now. For most names the description alone proves that it
// doesn't, so Unmoved is not needed.
func (r Resolver) Look(ctx context.Context, p Place, follow bool) (fs.FileInfo, error) {
	info, err := r.Stat(ctx, p.Name)
	if err == nil && storage.Direct(info) && p.Key == p.Name {
		return info, nil
	}
	if err := r.Unmoved(ctx, p, follow); err != nil {
		return nil, err
	}
	return info, err
}

// ErrMoved is for a name that leads elsewhere since the server has checked it.
var ErrMoved = status.New(http.StatusConflict, "a symbolic link in the path changed during this request; the request had no effect")

// Shown returns the storage name that a client should see for a key. It takes the
// spelling from a place of the request if that is the resource itself, above it or
// below it. It can't show the key itself, which may be folded or a path outside the
// share.
func Shown(key string, about ...Place) string {
	for _, p := range about {
		switch {
		case p.Key == key:
			return p.shown()
		case storage.Contains(key, p.Key):
			return CutSegments(p.shown(), strings.Count(strings.TrimPrefix(p.Key, strings.TrimSuffix(key, "/")), "/"))
		case storage.Contains(p.Key, key):
			return path.Join(p.shown(), strings.TrimPrefix(key, p.Key))
		}
	}
	if outside(key) {
		return "/"
	}
	return key
}

// shown returns the name of p for a client: the canonical name, or the one that the
// client used if p is outside the share.
func (p Place) shown() string {
	if p.Name == "" || outside(p.Key) {
		return p.Asked
	}
	return p.Name
}

// outside reports whether key belongs to a resource outside the share.
func outside(key string) bool { return storage.Contains(storage.OutsideKey, key) }

// CutSegments returns name without its last n segments.
func CutSegments(name string, n int) string {
	for range n {
		name = path.Dir(name)
	}
	return name
}

// Spelling returns name as the storage spells it. To the storage a name is bytes, but
// macOS sends names decomposed (NFD) and most other clients send them composed (NFC),
// and both mean the same resource. spelling returns name unchanged if it exists as sent,
// or in neither form: a new resource gets the client's spelling.
func (r Resolver) Spelling(ctx context.Context, name string) string {
	if !ambiguous(name) {
		return name
	}
	if _, err := r.FS.Stat(ctx, name); err == nil {
		return name
	}
	spelled := "/"
	for segment := range strings.SplitSeq(name[1:], "/") {
		spelled = r.spellSegment(ctx, spelled, segment)
	}
	return spelled
}

// spellSegment returns the name of the member segment of collection, as the storage
// spells it.
func (r Resolver) spellSegment(ctx context.Context, collection, segment string) string {
	sent := path.Join(collection, segment)
	if !ambiguous(segment) {
		return sent
	}
	for _, spelling := range []string{segment, norm.NFC.String(segment), norm.NFD.String(segment)} {
		name := path.Join(collection, spelling)
		if _, err := r.FS.Stat(ctx, name); err == nil {
			return name
		}
	}
	return sent
}

// ambiguous reports whether name has more than one spelling.
func ambiguous(name string) bool {
	ascii := true
	for i := range len(name) {
		ascii = ascii && name[i] < utf8.RuneSelf
	}
	return !ascii && utf8.ValidString(name) && (!norm.NFC.IsNormalString(name) || !norm.NFD.IsNormalString(name))
}

// Stat is FileSystem.Stat, but returns fs.ErrNotExist in two more cases: for a name below
// a file, for which some backends, such as webdav.NewMemFS, have other errors, and for a
// name that is too long for the storage.
func (r Resolver) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := r.FS.Stat(ctx, name)
	if errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, fs.ErrInvalid) && r.belowFile(ctx, name) {
		err = &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info, err
}

// Occupant returns the resource at name, or nil if it does not exist.
func (r Resolver) Occupant(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := r.Stat(ctx, name)
	if status.Of(err) == http.StatusNotFound {
		return nil, nil
	}
	return info, err
}

func (r Resolver) belowFile(ctx context.Context, name string) bool {
	for name != "/" {
		name = path.Dir(name)
		if info, err := r.FS.Stat(ctx, name); err == nil {
			return !info.IsDir()
		}
	}
	return false
}
