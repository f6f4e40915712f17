package access

import (
	"context"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// question is what may be done at a name.
type question struct {
	a     *FS
	table *table // nil if everything is allowed
	// others are those of other policies that restrict too, or nil.
	others [2]*table
	login  storage.Login
	// name decides; it is the logical name of a staged one.
	name string
	// dir is the collection that contains a staged tree, and rest the part of name below it.
	staged    bool
	dir, rest string
}

// ask prepares the question of what the principal of ctx may do at name. A reserved name is the
// server's own. But if makes says that something is made there, and it belongs to a tree that is
// being built, then the name that the tree will get decides.
func (a *FS) ask(ctx context.Context, name string, makes bool) question {
	name = storage.Clean(name)
	q := question{a: a, login: storage.LoginOf(ctx), name: name}
	if q.login.Unrestricted {
		return q
	}
	if storage.Reserved(name) {
		destination, rest, staged := storage.Staged(ctx, name)
		if !staged || !makes {
			return q
		}
		q.staged, q.dir = true, path.Dir(destination)
		q.name = destination + rest
		q.rest = path.Base(destination) + rest
	}
	// A new policy was loaded before the replaced one.
	coming, pinned := a.coming.Load(), a.pinned(ctx)
	policy := a.policy.Load()
	q.table = policy.tableOf(&q.login)
	if coming != nil && coming != policy {
		q.others[0] = coming.tableOf(&q.login)
	}
	if pinned != nil && pinned != policy {
		q.others[1] = pinned.tableOf(&q.login)
	}
	return q
}

// restrict leaves in v what the principal may also do at name.
func (q *question) restrict(v *verdict, name string) {
	q.table.restrict(v, name)
	for _, other := range q.others {
		if other != nil {
			other.restrict(v, name)
		}
	}
}

// restrictKey leaves in v what the principal may also do at all names with a Key.
func (q *question) restrictKey(v *verdict, key string) {
	v.restrict(q.table.folded, key, storage.Fold)
	for _, other := range q.others {
		if other != nil {
			v.restrict(other.folded, key, storage.Fold)
		}
	}
}

// spelled returns the verdict for the name alone, without its links.
func (q *question) spelled() verdict {
	if q.table == nil {
		return verdict{own: storage.RightsWrite, tree: storage.RightsWrite, seen: true, uniform: true}
	}
	v := verdict{own: storage.RightsWrite, tree: storage.RightsWrite, seen: true, uniform: true, staged: q.staged}
	q.restrict(&v, q.name)
	return q.withhold(v)
}

// withhold removes the rights that the login lacks.
func (q *question) withhold(v verdict) verdict {
	v.own &^= q.login.Withheld
	v.tree &^= q.login.Withheld
	v.named = q.login.Principal != ""
	return v
}

// resolve leaves in v what the principal may also do at the targets of links. follow says that a
// link at the end is followed.
func (q *question) resolve(ctx context.Context, v *verdict, follow bool) error {
	if v.uniform {
		return nil
	}
	name, rest := q.name, ""
	if q.staged {
		name, rest, follow = q.dir, q.rest, true
	}
	canon, err := storage.Canonical(ctx, q.a.FS, name, follow)
	if err != nil {
		return err
	}
	// A target outside the share has no other name.
	if canonical := path.Join(canon.Name, rest); canonical != q.name && !storage.Reserved(canonical) {
		q.restrict(v, canonical)
	}
	if canon.Key != canon.Name && !storage.Reserved(canon.Key) {
		q.restrictKey(v, path.Join(canon.Key, rest))
	}
	for _, link := range canon.Links {
		if !storage.Reserved(link) {
			q.restrict(v, link)
		}
	}
	*v = q.withhold(*v)
	return nil
}

// judge returns the verdict for a name. follow says that a link at its end is followed.
func (a *FS) judge(ctx context.Context, name string, follow bool) (verdict, error) {
	q := a.ask(ctx, name, false)
	v := q.spelled()
	return v, q.resolve(ctx, &v, follow)
}

// judgeNew is judge for a name at which something is made or written.
func (a *FS) judgeNew(ctx context.Context, name string, follow bool) (verdict, error) {
	q := a.ask(ctx, name, true)
	v := q.spelled()
	return v, q.resolve(ctx, &v, follow)
}

// may returns nil if the principal of ctx has the rights need at name.
func (a *FS) may(ctx context.Context, op, name string, need storage.Right, tree, follow bool) error {
	v, err := a.judge(ctx, name, follow)
	if err != nil {
		return err
	}
	if tree {
		return v.needTree(op, name, need)
	}
	return v.need(op, name, need)
}

// mayMake returns nil if the principal of ctx may create name, which is not a link.
func (a *FS) mayMake(ctx context.Context, op, name string) error {
	v, err := a.judgeNew(ctx, name, false)
	if err != nil {
		return err
	}
	return v.need(op, name, storage.RightCreate)
}

// need returns an error unless the principal has the rights at name, which the verdict is for.
// For no rights at all, it returns an error unless the principal may see name.
func (v *verdict) need(op, name string, rights storage.Right) error {
	switch {
	case !v.seen:
		// A staged name is known to exist.
		return storage.Refused(op, name, !v.staged)
	case !v.own.Has(rights), rights == 0 && v.own == 0 && !v.named:
		return storage.Refused(op, name, false)
	}
	return nil
}

// needTree is need for name and everything below it.
func (v *verdict) needTree(op, name string, rights storage.Right) error {
	if err := v.need(op, name, rights); err != nil {
		return err
	}
	if !v.tree.Has(rights) {
		return storage.Refused(op, name, false)
	}
	return nil
}

// needToOpen returns an error unless the principal may read the resource that info describes.
func (v *verdict) needToOpen(name string, info fs.FileInfo) error {
	if info.IsDir() {
		return v.need("open", name, storage.RightList)
	}
	return v.need("open", name, storage.RightRead)
}

// needToWrite returns an error unless the principal may change the existing resource name, or
// the tree that it is a part of is being built.
func (v *verdict) needToWrite(op, name string) error {
	if v.staged {
		return v.need(op, name, storage.RightCreate)
	}
	return v.need(op, name, storage.RightWrite)
}

// needToReplace returns an error unless the principal may put a file at name, where old is now,
// or nothing if that is nil.
func (v *verdict) needToReplace(name string, old fs.FileInfo) error {
	if old == nil {
		return v.need("replacefile", name, storage.RightCreate)
	}
	return v.need("replacefile", name, storage.RightWrite)
}

// checkReplace returns a check that calls needToReplace, and then check unless that is nil.
func (v verdict) checkReplace(name string, check func(fs.FileInfo) error) func(fs.FileInfo) error {
	return func(old fs.FileInfo) error {
		if err := v.needToReplace(name, old); err != nil || check == nil {
			return err
		}
		return check(old)
	}
}
