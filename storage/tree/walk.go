package tree

import (
	"context"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// VisitFunc is called by [Walk] for each resource. With err, its members could
// not be listed, or it could not be described and info is nil. An error that it
// returns ends the walk.
type VisitFunc func(name string, info fs.FileInfo, err error) error

// Walk visits root and, up to depth 0, 1 or [Infinite], what is below it, a
// collection before its members, and reports each to mon. Symbolic links are
// followed as the backend follows them: one that leads nowhere is left out,
// one to a collection that holds it is visited but not entered. Reserved
// names, and what is neither a file nor a collection, are left out.
//
// Walk returns the error of describing root, or visit's, or ctx's.
func Walk(ctx context.Context, fsys storage.FS, root string, depth int, mon *Monitor, visit VisitFunc) error {
	info, err := fsys.Stat(ctx, root)
	if err != nil {
		return err
	}
	return WalkFrom(ctx, fsys, root, info, depth, mon, visit)
}

// WalkFrom is [Walk] for a caller that has described root: info is what
// fsys.Stat has returned.
func WalkFrom(ctx context.Context, fsys storage.FS, root string, info fs.FileInfo, depth int, mon *Monitor, visit VisitFunc) error {
	w := &walker{ctx: ctx, fsys: fsys, mon: mon, visit: visit}
	var parent *lineage
	if depth == Infinite {
		parent = above(ctx, fsys, root, info)
	}
	return w.resource(root, info, depth, parent)
}

type walker struct {
	ctx   context.Context //nolint:containedctx // lives as long as the call of Walk
	fsys  storage.FS
	mon   *Monitor
	visit VisitFunc
}

// below is a collection to be entered once the one that holds it is listed.
type below struct {
	name string
	info fs.FileInfo
}

func (w *walker) report(name string, info fs.FileInfo, err error) error {
	visitErr := w.visit(name, info, err)
	w.mon.Resolve(name, err)
	return visitErr
}

// resource visits name and what is below it.
func (w *walker) resource(name string, info fs.FileInfo, depth int, parent *lineage) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if depth == 0 || !info.IsDir() {
		return w.report(name, info, nil)
	}
	if depth == 1 {
		depth = 0
	}
	here := &lineage{info: info, parent: parent}
	collections, err := w.members(name, depth, here)
	if err != nil {
		return err
	}
	for _, c := range collections {
		if err := w.resource(c.name, c.info, depth, here); err != nil {
			return err
		}
	}
	return nil
}

// members visits the collection name and its members, and returns those that
// have members of their own to be visited. The collection is visited when its
// first member has been read, so that one that can't be listed is reported
// once, with its error.
func (w *walker) members(name string, depth int, here *lineage) (collections []below, err error) {
	visited := false
	for entry, err := range storage.ReadDir(w.ctx, w.fsys, name) {
		if ctxErr := w.ctx.Err(); ctxErr != nil {
			return nil, ctxErr
		}
		if err != nil {
			return collections, w.report(name, here.info, err)
		}
		if !visited {
			visited = true
			if err := w.report(name, here.info, nil); err != nil {
				return nil, err
			}
		}
		if err := w.member(path.Join(name, entry.Name()), entry, depth, here, &collections); err != nil {
			return nil, err
		}
	}
	if !visited {
		return nil, w.report(name, here.info, nil)
	}
	return collections, nil
}

// member visits one entry of a collection, or puts it off when it has members
// of its own to be visited.
func (w *walker) member(name string, entry fs.FileInfo, depth int, here *lineage, put *[]below) error {
	info, err := follow(w.ctx, w.fsys, name, entry)
	switch {
	case err != nil:
		return w.report(name, nil, err)
	case info == nil:
		return nil
	case info.IsDir() && depth != 0 && !here.loops(info):
		*put = append(*put, below{name: name, info: info})
		return nil
	}
	return w.report(name, info, nil)
}
