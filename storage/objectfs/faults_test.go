package objectfs_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names"
)

// errFault is the error of a call that a test makes fail.
var errFault = errors.New("injected fault")

// hook is called before and after each call of names and objects. If it returns an error before the
// call, the call isn't made. If it returns one after it, the answer is lost.
type hook func(call string, after bool) error

func (h hook) around(call string, do func() error) error {
	if err := h(call, false); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return h(call, true)
}

func around[T any](h hook, call string, do func() (T, error)) (result T, err error) {
	err = h.around(call, func() (err error) {
		result, err = do()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// hookedNames are names whose calls can fail.
type hookedNames struct {
	*names.Space
	hook hook
}

func (n hookedNames) Find(ctx context.Context, name string) (names.Node, error) {
	return around(n.hook, "find", func() (names.Node, error) { return n.Space.Find(ctx, name) })
}

func (n hookedNames) Open(ctx context.Context, name string) (node names.Node, data []byte, err error) {
	err = n.hook.around("open", func() (err error) {
		node, data, err = n.Space.Open(ctx, name)
		return err
	})
	return node, data, err
}

func (n hookedNames) Members(ctx context.Context, id int64, after string, limit int) ([]names.Node, error) {
	return around(n.hook, "members", func() ([]names.Node, error) { return n.Space.Members(ctx, id, after, limit) })
}

func (n hookedNames) Mkdir(ctx context.Context, name string, perm uint32) (names.Node, error) {
	return around(n.hook, "mkdir", func() (names.Node, error) { return n.Space.Mkdir(ctx, name, perm) })
}

func (n hookedNames) Put(ctx context.Context, name string, c names.Content, p names.Placing) (names.Node, error) {
	return around(n.hook, "put", func() (names.Node, error) { return n.Space.Put(ctx, name, c, p) })
}

func (n hookedNames) Rename(ctx context.Context, from, to string, replace bool) error {
	return n.hook.around("rename", func() error { return n.Space.Rename(ctx, from, to, replace) })
}

func (n hookedNames) Swap(ctx context.Context, a, b string) error {
	return n.hook.around("swap", func() error { return n.Space.Swap(ctx, a, b) })
}

func (n hookedNames) Detach(ctx context.Context, name string, empty bool) error {
	return n.hook.around("detach", func() error { return n.Space.Detach(ctx, name, empty) })
}

func (n hookedNames) Copy(ctx context.Context, from, to string, zeroDepth bool, copied func(members, bytes int64) error) error {
	return n.hook.around("copy", func() error { return n.Space.Copy(ctx, from, to, zeroDepth, copied) })
}

func (n hookedNames) CopyMembers(ctx context.Context, from, to string, members []string, as string) ([]error, error) {
	return around(n.hook, "copymembers", func() ([]error, error) { return n.Space.CopyMembers(ctx, from, to, members, as) })
}

func (n hookedNames) Sweep(ctx context.Context, limit int) (int, error) {
	return around(n.hook, "sweep", func() (int, error) { return n.Space.Sweep(ctx, limit) })
}

func (n hookedNames) Loose(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return around(n.hook, "loose", func() ([]string, error) { return n.Space.Loose(ctx, before, limit) })
}

func (n hookedNames) Removed(ctx context.Context, keys []string) error {
	return n.hook.around("removed", func() error { return n.Space.Removed(ctx, keys) })
}

func (n hookedNames) Orphans(ctx context.Context, keys []string) ([]string, error) {
	return around(n.hook, "orphans", func() ([]string, error) { return n.Space.Orphans(ctx, keys) })
}

func (n hookedNames) Disown(ctx context.Context, keys []string) ([]string, error) {
	return around(n.hook, "disown", func() ([]string, error) { return n.Space.Disown(ctx, keys) })
}

// hookedBlobs are objects whose calls can fail.
type hookedBlobs struct {
	blobs.Store
	hook hook
}

func (b hookedBlobs) Create(ctx context.Context, key string, size int64, meta blobs.Meta) (blobs.Writer, error) {
	w, err := around(b.hook, "create", func() (blobs.Writer, error) { return b.Store.Create(ctx, key, size, meta) })
	if err != nil {
		return nil, err
	}
	return hookedWriter{w, b.hook}, nil
}

func (b hookedBlobs) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	return around(b.hook, "openobject", func() (io.ReadCloser, error) { return b.Store.Open(ctx, key, offset, length) })
}

func (b hookedBlobs) Stat(ctx context.Context, key string) (blobs.Object, error) {
	return around(b.hook, "statobject", func() (blobs.Object, error) { return b.Store.Stat(ctx, key) })
}

func (b hookedBlobs) Remove(ctx context.Context, keys []string) error {
	return b.hook.around("removeobjects", func() error { return b.Store.Remove(ctx, keys) })
}

func (b hookedBlobs) List(ctx context.Context, after string) iter.Seq2[blobs.Object, error] {
	return func(yield func(blobs.Object, error) bool) {
		for object, err := range b.Store.List(ctx, after) {
			if err == nil {
				err = b.hook("list", false)
			}
			if !yield(object, err) || err != nil {
				return
			}
		}
	}
}

type hookedWriter struct {
	blobs.Writer
	hook hook
}

func (w hookedWriter) Write(p []byte) (int, error) {
	return around(w.hook, "write", func() (int, error) { return w.Writer.Write(p) })
}

func (w hookedWriter) Finish(ctx context.Context) error {
	return w.hook.around("finish", func() error { return w.Writer.Finish(ctx) })
}

func (w hookedWriter) Discard() error {
	return w.hook.around("discard", w.Writer.Discard)
}
