package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/dav/internal/index"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// MountPoint shows the tree Name of the storage at the URL path At, which is "/" or a single
// segment such as "/photos".
type MountPoint struct{ At, Name string }

// View says which names of the storage the URL paths of a client stand for: a table of mount
// points, with one at "/". For example, a user may have their home at "/" and other shares
// beside the members of the home. A View doesn't change.
type View struct {
	// points are the mount points, that at "/" last.
	points []MountPoint
}

// NewView returns the view with these mount points.
func NewView(points ...MountPoint) (*View, error) {
	v := &View{points: slices.Clone(points)}
	for i := range v.points {
		p := &v.points[i]
		p.At, p.Name = norm.NFC.String(storage.Clean(p.At)), storage.Clean(p.Name)
		if strings.Count(p.At, "/") > 1 || storage.Reserved(p.At) || storage.Reserved(p.Name) {
			return nil, fmt.Errorf("nothing can be mounted at %s", p.At)
		}
		if slices.ContainsFunc(v.points[:i], func(other MountPoint) bool { return other.At == p.At }) {
			return nil, fmt.Errorf("two trees are mounted at %s", p.At)
		}
	}
	slices.SortFunc(v.points, func(a, b MountPoint) int { return strings.Compare(b.At, a.At) })
	if len(v.points) == 0 || v.points[len(v.points)-1].At != "/" {
		return nil, errors.New("nothing is mounted at /")
	}
	return v, nil
}

// name returns the name in the storage for a path below the prefix.
func (v *View) name(asked string) string {
	p, rest := v.point(asked)
	return moved(rest, "/", p.Name)
}

// point returns the mount point of a path, and the path below it.
func (v *View) point(asked string) (p MountPoint, rest string) {
	at, rest := cutFirst(asked)
	for _, p := range v.points {
		if p.At == at {
			return p, rest
		}
	}
	return v.points[len(v.points)-1], asked
}

// cutFirst returns the first segment of a path, in the spelling of mount points, and the rest.
// macOS sends decomposed characters.
func cutFirst(path string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/") // the path of an invalid URL is ""
	return "/" + norm.NFC.String(first), "/" + rest
}

// moved returns name, which is from or below it, as to or below that.
func moved(name, from, to string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(name, from), "/")
	switch {
	case rest == "":
		return to
	case to == "/":
		return "/" + rest
	}
	return to + "/" + rest
}

// shown returns the path below the prefix that stands for a name in the storage, the one in the
// smallest tree if there are several. ok is false if the client has none.
func (v *View) shown(name string) (path string, ok bool) {
	best := -1
	for i, p := range v.points {
		if storage.Contains(p.Name, name) && (best < 0 || len(p.Name) > len(v.points[best].Name)) && !v.shadows(p, name) {
			best = i
		}
	}
	if best < 0 {
		return "", false
	}
	return moved(name, v.points[best].Name, v.points[best].At), true
}

// shadows reports whether another mount point is in the way of a name of the tree at p.
func (v *View) shadows(p MountPoint, name string) bool {
	if p.At != "/" {
		return false
	}
	other, _ := v.point(moved(name, p.Name, p.At))
	return other.At != "/"
}

// view returns the view of the client of ctx, or nil if URL paths are names.
func (h *Handler) view(ctx context.Context) *View {
	if h.View == nil {
		return nil
	}
	return h.View(ctx)
}

// viewed returns the name in the storage for a path below the prefix.
func (h *Handler) viewed(ctx context.Context, asked string) string {
	if v := h.view(ctx); v != nil && !storage.Reserved(asked) {
		return v.name(asked)
	}
	return asked
}

// shown returns the path below the prefix for a name in the storage, or name itself if the client
// has no path for it.
func (h *Handler) shown(ctx context.Context, name string) string {
	if v := h.view(ctx); v != nil {
		if path, ok := v.shown(name); ok {
			return path
		}
	}
	return name
}

// checkMountPoint refuses to remove, move or replace what is mounted at a URL path.
func (h *Handler) checkMountPoint(ctx context.Context, urlPath string) error {
	v := h.view(ctx)
	if v == nil {
		return nil
	}
	asked, err := h.name(ctx, urlPath)
	if err != nil {
		return nil //nolint:nilerr // the caller returns it
	}
	if _, rest := v.point(asked); rest == "/" {
		return status.New(http.StatusForbidden, "a share is mounted here, so it can't be removed, moved or replaced")
	}
	return nil
}

// listerOf returns h as the listing of r sees it.
func (h *Handler) listerOf(r *request) listing.Server {
	v := h.view(r.Context())
	if v == nil {
		return h.lister(r.Context())
	}
	asked, err := h.name(r.Context(), r.URL.Path)
	if err != nil {
		return h.lister(r.Context())
	}
	p, _ := v.point(asked)
	return h.listerAt(r.Context(), v, p)
}

// listerAt returns h as a listing in the tree of a mount point sees it.
func (h *Handler) listerAt(ctx context.Context, v *View, p MountPoint) listing.Server {
	s := h.lister(ctx)
	s.Prefix += strings.TrimSuffix(p.At, "/")
	s.Cut = strings.TrimSuffix(p.Name, "/")
	s.Shadowed = func(name string) bool { return v.shadows(p, name) }
	return s
}

// otherTrees returns the mount points that a listing of the URL path / shows beside the members of
// the tree there.
func (h *Handler) otherTrees(r *request) []listing.Tree {
	v := h.view(r.Context())
	if v == nil {
		return nil
	}
	if asked, err := h.name(r.Context(), r.URL.Path); err != nil || asked != "/" {
		return nil
	}
	var trees []listing.Tree
	for _, p := range v.points {
		if p.At != "/" {
			trees = append(trees, listing.Tree{Server: h.listerAt(r.Context(), v, p), Name: p.Name})
		}
	}
	return trees
}

// addTo adds the other mount points to the members of an index of the URL path /, which lists the
// tree there.
func (v *View) addTo(ctx context.Context, m *index.Members) {
	for _, p := range v.points {
		if p.At == "/" {
			continue
		}
		m.All = slices.DeleteFunc(m.All, func(member index.Member) bool { return norm.NFC.String("/"+member.Name) == p.At })
		info, err := m.FS.Stat(ctx, p.Name)
		if err == nil {
			m.All = append(m.All, index.Member{
				Name: p.At[1:], Modified: info.ModTime().Unix(), Size: info.Size(), Collection: info.IsDir(), Described: true,
			})
		} else if !isMissing(err) {
			m.All = append(m.All, index.Member{Name: p.At[1:], Collection: true})
		}
	}
	slices.SortFunc(m.All, index.Compare)
}

func isMissing(err error) bool {
	return status.Of(err) == http.StatusNotFound || status.Of(err) == http.StatusForbidden
}
