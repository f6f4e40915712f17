package storage

import (
	"context"
	"io/fs"
	"path"
	"strings"
)

// Canon says what a name stands for, where symbolic links or a file system that
// folds names give one resource several.
type Canon struct {
	// Name is the name that reaches the same resource through no symbolic link, as
	// far as there is such a name. Where nothing exists yet, the existing part is
	// resolved, and the rest is as it was given.
	Name string
	// Key is the same for all names of one resource, and so is fit for whatever
	// belongs to the resource: locks, properties. It is Name with [Fold] applied to
	// the segments that the file system may fold. A resource outside the share that
	// a link leads to has a Key that starts with [OutsideKey].
	Key string
	// Links are the Keys of the symbolic links that were followed, in their order.
	Links []string
	// Folds says that the collection Name folds the names of its members.
	Folds bool
}

// Member returns the Canon of a member of the collection c, which is no symbolic link
// and is called segment in the collection's listing.
func (c Canon) Member(segment string) Canon {
	member := Canon{Name: path.Join(c.Name, segment), Links: c.Links, Folds: c.Folds}
	if c.Folds {
		segment = Fold(segment)
	}
	member.Key = path.Join(c.Key, segment)
	return member
}

// OutsideKey is the reserved name below which the Keys of resources outside the
// share are. They hold paths of the server's disk: no client may see them.
const OutsideKey = "/" + ReservedPrefix + "outside"

// Canonicaler is an [FS] in which one resource can have several names.
type Canonicaler interface {
	FS

	// Canonical does what the function of this name does.
	Canonical(ctx context.Context, name string, follow bool) (Canon, error)
}

// Canonical resolves name. A symbolic link on the way is always followed; one at
// the end only if follow is true. Without it the result stands for the link itself,
// on which Remove and Rename act.
//
// Two names of one resource have the same Key, and a name that is a Key's Name is
// resolved to itself. Two resources may share a Key if their names differ only by
// what some file system folds. Hard links and bind mounts are resources of their own.
//
// The result holds for the moment of the call: whoever acts on Name later must keep
// others from changing what is on the way, or look again.
//
// Without a [Canonicaler] both are name.
func Canonical(ctx context.Context, fsys FS, name string, follow bool) (Canon, error) {
	if c, ok := fsys.(Canonicaler); ok {
		return c.Canonical(ctx, name, follow)
	}
	return Canon{Name: name, Key: name}, ctx.Err()
}

// Direct reports whether info, which Stat has returned for a name, shows that the
// name is its own Key: no link was followed, and nothing folds names there. False:
// it is not known.
func Direct(info fs.FileInfo) bool {
	if info == nil {
		return false
	}
	direct, ok := info.Sys().(interface{ Direct() bool })
	return ok && direct.Direct()
}

// maxLinksFollowed is how many symbolic links are followed in a name, as on Linux.
const maxLinksFollowed = 40

// Resolver finds the [Canon] of a name, segment by segment, for a backend with links
// or with file systems that fold names.
type Resolver struct {
	// Readlink returns what the symbolic link name says, and "" for what is no link.
	// Any error says that nothing more can be resolved from there on.
	Readlink func(name string) (text string, err error)
	// Follow decides about the link name, which says text: whether it is followed,
	// and to which name it leads, if that is not simply text from where the link is.
	// Nil: a relative link is followed while it stays below the root.
	Follow func(name, text string) (to string, follow bool)
	// Spell returns the Key's form of the member segment of the collection dir, and
	// Folds whether dir folds names. Nil: the segment as it is.
	Spell func(dir, segment string) string
	Folds func(dir string) bool
}

// Canonical resolves name.
func (r Resolver) Canonical(name string, follow bool) Canon {
	w := &resolving{Resolver: r, at: []string{""}, rest: segments(name)}
	for len(w.rest) > 0 {
		segment := w.rest[0]
		w.rest = w.rest[1:]
		switch segment {
		case "", ".":
		case "..":
			w.at = w.at[:max(len(w.at)-1, 1)]
		default:
			w.step(segment, follow || len(w.rest) > 0)
		}
	}
	return w.canon()
}

// resolving is a name on its way to a Canon.
type resolving struct {
	Resolver
	at    []string // the segments that are resolved, the first of them ""
	rest  []string
	links []string
	// blind: nothing more can be resolved.
	blind bool
}

func segments(name string) []string { return strings.Split(name, "/") }

// step takes one segment: what it leads to, if it is a link.
func (w *resolving) step(segment string, follow bool) {
	name := strings.Join(w.at, "/") + "/" + segment
	if w.blind || !follow && w.Readlink == nil {
		w.at = append(w.at, segment)
		return
	}
	text, err := w.Readlink(name)
	switch {
	case err != nil:
		w.blind = true
	case text == "" || !follow:
	case len(w.links) == maxLinksFollowed:
		w.blind = true // It is a loop, which leads nowhere.
	case w.lead(name, text):
		return
	default:
		w.blind = true
	}
	w.at = append(w.at, segment)
}

// lead goes where the link name leads, and reports whether that is so.
func (w *resolving) lead(name, text string) bool {
	decide := w.Follow
	if decide == nil {
		decide = inside
	}
	to, ok := decide(name, text)
	if !ok {
		return false
	}
	w.links = append(w.links, w.key(name))
	if strings.HasPrefix(to, "/") {
		w.at = w.at[:1]
	}
	w.rest = append(segments(to), w.rest...)
	return true
}

// inside is Follow for links that stay below the root.
func inside(name, text string) (to string, follow bool) {
	depth := strings.Count(name, "/") - 1
	for segment := range strings.SplitSeq(text, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return "", false
		}
	}
	return text, !path.IsAbs(text)
}

func (w *resolving) canon() Canon {
	canon := Canon{Name: strings.Join(w.at, "/"), Links: w.links}
	if canon.Name == "" {
		canon.Name, canon.Key = "/", "/"
	} else {
		canon.Key = w.key(canon.Name)
	}
	canon.Folds = w.Folds != nil && w.Folds(canon.Name)
	return canon
}

// key is the Key of the resolved name.
func (w *resolving) key(name string) string {
	if w.Spell == nil {
		return name
	}
	key := ""
	dir := "/"
	for segment := range strings.SplitSeq(name[1:], "/") {
		key += "/" + w.Spell(dir, segment)
		dir = path.Join(dir, segment)
	}
	return key
}
