package mount

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/davd/davd/storage"
)

// describe describes the collection of a node.
func (f *FS) describe(ctx context.Context, at target) (fs.FileInfo, error) {
	if at.in != nil {
		info, err := at.in.fsys.Stat(ctx, at.name)
		switch {
		case err == nil && info.IsDir() && info.Name() == at.base():
			return info, nil
		case err == nil && info.IsDir():
			return storage.Named(info, at.base()), nil
		case at.root():
			return nil, at.failed(err)
		}
	}
	return f.virtual(ctx, at.base()), ctx.Err()
}

// virtual describes a collection that exists only in the table, or whose share can't be
// described.
func (f *FS) virtual(ctx context.Context, base string) fs.FileInfo {
	return info{base, f.tableOf(f.pinOf(ctx)).made}
}

// info describes a read-only collection.
type info struct {
	name     string
	modified time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (i info) ModTime() time.Time { return i.modified }
func (i info) IsDir() bool        { return true }
func (i info) Sys() any           { return direct{} }

// direct says that the name is its own key.
type direct struct{}

// Direct is for storage.Direct.
func (direct) Direct() bool { return true }

// openWithin is how long a listing waits for each share in it that is not open yet.
const openWithin = time.Second

// List implements storage.Lister.
func (f *FS) List(ctx context.Context, name string) (storage.Listing, error) {
	return f.list(ctx, name, storage.List)
}

// ListShown implements storage.ShownLister.
func (f *FS) ListShown(ctx context.Context, name string) (storage.Listing, error) {
	return f.list(ctx, name, storage.ListShown)
}

// lister is storage.List or storage.ListShown.
type lister func(ctx context.Context, fsys storage.FS, name string) (storage.Listing, error)

func (f *FS) list(ctx context.Context, name string, list lister) (storage.Listing, error) {
	at, err := f.below(ctx, "list", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	l := &listing{of: f, at: at}
	if at.in != nil {
		inner, err := list(ctx, at.in.fsys, at.name)
		if err != nil && (at.node == nil || at.root()) {
			return nil, at.failed(err)
		}
		l.inner = inner
	}
	if at.node != nil {
		l.shares = at.node.memberNames(storage.PrincipalOf(ctx))
	}
	if l.inner != nil {
		at.in.refs.Add(1)
	}
	return l, nil
}

// listing is a listing that keeps its storage open. It adds the shares among the members.
type listing struct {
	of     *FS
	at     target
	inner  storage.Listing // nil at the end of the storage's members
	ended  bool
	shares []string
}

// Next implements storage.Listing. The shares come last.
func (l *listing) Next(ctx context.Context) (storage.Members, error) {
	if l.inner != nil && !l.ended {
		found, err := l.inner.Next(ctx)
		l.ended = errors.Is(err, io.EOF)
		if l.ended && len(l.shares) > 0 {
			err = nil
		}
		if !l.ended {
			err = l.at.failed(err)
		}
		if found == nil || l.at.at == "" && l.at.node == nil {
			return found, err
		}
		return &members{found, &l.at.spot}, err
	}
	shares := l.shares
	l.shares = nil
	return l.of.mounted(ctx, l.at.full, shares), io.EOF
}

// Close implements storage.Listing.
func (l *listing) Close() error {
	if l.inner == nil {
		return nil
	}
	defer l.at.release()
	return l.inner.Close()
}

// members are those of a storage. They hide those whose names belong to shares.
type members struct {
	storage.Members
	at *spot
}

// Describe implements storage.Members.
func (m *members) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	start := len(dst)
	dst = m.Members.Describe(ctx, from, to, dst)
	kept := start
	for _, each := range dst[start:] {
		if m.at.node != nil && m.at.node.leads() && m.at.node.hides(each.Name) {
			continue
		}
		if each.Err != nil {
			each.Err = m.at.failed(each.Err)
		}
		dst[kept] = each
		kept++
	}
	return dst[:kept]
}

// mounted describes the members of the collection name that are shares or lead to some. One
// that is not available is described as an empty collection. One that doesn't exist for the
// principal is omitted.
func (f *FS) mounted(ctx context.Context, name string, shares []string) storage.Members {
	found := make(described, 0, len(shares))
	for _, base := range shares {
		info, err := f.statWithin(ctx, storage.Clean(name+"/"+base))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			continue
		case err != nil:
			info = f.virtual(ctx, base)
		}
		found = append(found, storage.Entry{Name: base, Info: info})
	}
	return found
}

func (f *FS) statWithin(ctx context.Context, name string) (fs.FileInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	return f.Stat(ctx, name)
}

// described are Members with descriptions.
type described []storage.Entry

func (d described) Len() int { return len(d) }

// Describe implements storage.Members.
func (d described) Describe(_ context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	return append(dst, d[from:to]...)
}
