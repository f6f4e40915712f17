package client

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"github.com/davd/davd/dav/davclient"
)

// maxDepth is how many levels of collections are walked, because a hostile server may list
// endless levels.
const maxDepth = 256

// treeWalk is one call of Tree.
type treeWalk struct {
	*Session

	// levels is how many levels are shown.
	levels int

	collections, files, bytes int64
}

// Tree writes the collection ref as a tree, with each collection sorted by name, and then the
// total numbers of collections, files and bytes.
func (s *Session) Tree(ctx context.Context, ref *url.URL) error {
	path := ref.EscapedPath()
	what := "list " + shownPath(path)
	walk := &treeWalk{Session: s, levels: min(cmp.Or(s.Levels, maxDepth), maxDepth)}
	fmt.Fprintln(s.Out, shownPath(path))
	if err := walk.below(s.watched(ctx), path, "", 1); err != nil {
		return s.Failed(what, err)
	}
	s.Meter.Clear()
	fmt.Fprintf(s.Out, "\ncollections: %d, files: %d, bytes: %d\n", walk.collections, walk.files, walk.bytes)
	return s.ended(what, nil)
}

// below writes everything below the escaped path, each line with indent in front.
func (w *treeWalk) below(ctx context.Context, path, indent string, level int) error {
	_, members, err := w.members(ctx, path)
	if err != nil {
		return err
	}
	w.Meter.Clear()
	for i, member := range members {
		branch, below := "├── ", "│   "
		if i == len(members)-1 {
			branch, below = "└── ", "    "
		}
		fmt.Fprintln(w.Out, indent+branch+w.describe(member))
		if !member.Collection {
			w.files++
			w.bytes += max(member.Size, 0)
			continue
		}
		w.collections++
		ref, ok := childRef(path, member.Href)
		if level == w.levels || !ok {
			continue
		}
		err := w.below(ctx, asCollection(ref), indent+below, level+1)
		if status(err) != 0 {
			w.memberFailed(status(err), shownPath(ref))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWalk) describe(member davclient.Resource) string {
	if !w.Long && !w.Human {
		return w.nameOf(member)
	}
	return fmt.Sprintf("[%11s  %s]  %s", w.sizeOf(member), timeOf(member), w.nameOf(member))
}
