package client

import (
	"context"
	"fmt"
	"net/url"

	"github.com/davd/davd/dav/davclient"
)

// maxDepth is how many levels of collections are walked, because a hostile server may list
// endless levels.
const maxDepth = 256

// TreeOptions are the options of Tree.
type TreeOptions struct {
	// Depth is how many levels are shown; 0 means all.
	Depth int
	// Long shows sizes, in bytes, and modification times.
	Long bool
}

// treeWalk is one call of Tree.
type treeWalk struct {
	session *Session
	options TreeOptions

	collections, files, bytes int64
	failed                    int
}

// Tree writes the collection ref as a tree, with each collection sorted by name, and then the
// total numbers of collections, files and bytes.
func (s *Session) Tree(ctx context.Context, ref *url.URL, o TreeOptions) error {
	if o.Depth <= 0 || o.Depth > maxDepth {
		o.Depth = maxDepth
	}
	path := ref.EscapedPath()
	what := "list " + shownPath(path)
	walk := &treeWalk{session: s, options: o}
	fmt.Fprintln(s.Out, shownPath(path))
	if err := walk.below(s.watched(ctx), path, "", 1); err != nil {
		return s.Failed(what, err)
	}
	s.Meter.Clear()
	fmt.Fprintf(s.Out, "\ncollections: %d, files: %d, bytes: %d\n", walk.collections, walk.files, walk.bytes)
	return s.ended(what, walk.failed, nil)
}

// below writes everything below the escaped path, each line with indent in front.
func (w *treeWalk) below(ctx context.Context, path, indent string, level int) error {
	_, members, failed, err := w.session.members(ctx, path)
	w.failed += failed
	if err != nil {
		return err
	}
	w.session.Meter.Clear()
	for i, member := range members {
		branch, below := "├── ", "│   "
		if i == len(members)-1 {
			branch, below = "└── ", "    "
		}
		fmt.Fprintln(w.session.Out, indent+branch+w.describe(member))
		if !member.Collection {
			w.files++
			w.bytes += max(member.Size, 0)
			continue
		}
		w.collections++
		ref, ok := childRef(path, member.Href)
		if level == w.options.Depth || !ok {
			continue
		}
		err := w.below(ctx, asCollection(ref), indent+below, level+1)
		if status(err) != 0 {
			w.session.memberFailed(status(err), shownPath(ref))
			w.failed++
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWalk) describe(member davclient.Resource) string {
	if !w.options.Long {
		return nameOf(member)
	}
	return fmt.Sprintf("[%11s  %s]  %s", sizeOf(member), timeOf(member), nameOf(member))
}
