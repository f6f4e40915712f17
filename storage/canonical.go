package storage

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Canon says which resource a name stands for. One resource can have several names
// because of symbolic links or because the filesystem folds names.
type Canon struct {
	// Name reaches the same resource without passing a symbolic link, as far as
	// such a name exists. If part of the name doesn't exist yet, the existing part is
	// resolved and the rest is unchanged.
	Name string
	// Key is the same for all names of one resource. Use it for everything that
	// belongs to the resource, such as locks and properties. It is Name with [Fold]
	// applied to the segments that the filesystem may fold. If a symbolic link leads
	// outside the share, the Key starts with [OutsideKey].
	Key string
	// Links are the Keys of the symbolic links that were followed, in order.
	Links []string
	// Folds reports whether the collection Name folds the names of its members.
	Folds bool
	// Composes reports whether the collection Name treats names of members as the same if they are
	// equal in Unicode's normal form C. The Key is in that form then.
	Composes bool
}

// Member returns the Canon of a member of the collection c. The member must not be a
// symbolic link; segment is its name as the listing of the collection gives it.
func (c Canon) Member(segment string) Canon {
	member := Canon{Name: path.Join(c.Name, segment), Links: c.Links, Folds: c.Folds, Composes: c.Composes}
	if c.Folds {
		segment = Fold(segment)
	} else if c.Composes {
		segment = norm.NFC.String(segment)
	}
	member.Key = path.Join(c.Key, segment)
	return member
}

// OutsideKey is the reserved name that starts the Keys of resources outside the
// share. Such a Key contains a path of the server's disk, so no client may see it.
const OutsideKey = "/" + ReservedPrefix + "outside"

// Canonicaler is an [FS] that can give one resource several names.
type Canonicaler interface {
	FS

	// Canonical resolves name. See the function [Canonical].
	Canonical(ctx context.Context, name string, follow bool) (Canon, error)
}

// Canonical resolves name. It always follows symbolic links on the way. It follows
// one at the end only if follow is true; otherwise the result stands for the link
// itself, which is what Remove and Rename act on.
//
// Two names of one resource have the same Key, and Canonical resolves a Name that it
// returned to itself. Two resources may share a Key if their names differ only in ways
// that some filesystem ignores. Hard links and bind mounts are separate resources.
//
// The result holds only for the moment of the call. A caller that uses Name later must
// prevent changes on the way there, or resolve the name again.
//
// Without a [Canonicaler], Name and Key are both name.
func Canonical(ctx context.Context, fsys FS, name string, follow bool) (Canon, error) {
	if c, ok := fsys.(Canonicaler); ok {
		return c.Canonical(ctx, name, follow)
	}
	return Canon{Name: name, Key: name}, ctx.Err()
}

// Direct reports whether info, which Stat returned for a name, shows that the name is
// its own Key: no link was followed, and no collection on the way folds names. If it
// returns false, the answer is unknown, and the caller needs [Canonical].
func Direct(info fs.FileInfo) bool {
	if info == nil {
		return false
	}
	direct, ok := info.Sys().(interface{ Direct() bool })
	return ok && direct.Direct()
}

// maxLinksFollowed limits the symbolic links that are followed in one name, as Linux does.
const maxLinksFollowed = 40

// Resolver finds the [Canon] of a name, segment by segment. It is for backends that have
// symbolic links or filesystems that fold names.
type Resolver struct {
	// Readlink returns the target text of the symbolic link name, or "" if name is
	// not a link. After an error, the rest of the name is left unresolved.
	Readlink func(name string) (text string, err error)
	// Follow decides whether to follow the link name, whose target text is text, and
	// returns the name to go to: an absolute name, or one relative to the link's
	// collection. If Follow is nil, a relative link is followed as long as it stays
	// below the root.
	Follow func(name, text string) (to string, follow bool)
	// Spell returns the form that the member segment of the collection dir has in a
	// Key. If Spell is nil, that is the segment itself.
	Spell func(dir, segment string) string
	// Folds reports whether dir folds names. Nil means that no collection does.
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

// resolving is the state of resolving one name.
type resolving struct {
	Resolver
	at    []string // the resolved segments; the first is always ""
	rest  []string
	links []string
	// blind is set when the remaining segments can't be resolved.
	blind bool
}

func segments(name string) []string { return strings.Split(name, "/") }

// step resolves one segment. If it is a link to be followed, step goes to its target.
func (w *resolving) step(segment string, follow bool) {
	name := strings.Join(w.at, "/") + "/" + segment
	if w.blind || !follow && w.Readlink == nil {
		w.at = append(w.at, segment)
		return
	}
	text, err := w.Readlink(name)
	if err != nil || text != "" && follow {
		// More links than maxLinksFollowed are a loop.
		if err == nil && len(w.links) < maxLinksFollowed && w.lead(name, text) {
			return
		}
		w.blind = true
	}
	w.at = append(w.at, segment)
}

// lead follows the link name, and reports whether it did.
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

// inside is the default for Follow: it follows relative links that stay below the root.
func inside(name, text string) (to string, follow bool) {
	if Climbs(strings.Count(name, "/")-1, text) {
		return "", false
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

// key returns the Key of a resolved name.
func (w *resolving) key(name string) string {
	if w.Spell == nil {
		return name
	}
	var key strings.Builder
	dir := "/"
	for segment := range strings.SplitSeq(name[1:], "/") {
		key.WriteByte('/')
		key.WriteString(w.Spell(dir, segment))
		dir = path.Join(dir, segment)
	}
	return key.String()
}
