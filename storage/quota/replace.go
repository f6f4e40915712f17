package quota

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// ReplaceFile starts a new version of the file name. It reserves what r.Size says, and fails
// with syscall.EDQUOT if the limit doesn't allow that. The rest is reserved as it is written.
// The file that is replaced counts until the commit.
func (q *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if err := q.ready(ctx); err != nil {
		return nil, err
	}
	if _, ok := q.FS.(storage.FileReplacer); !ok {
		return q.stageFile(ctx, name, r)
	}
	c := &replacement{quota: q, name: storage.Clean(name)}
	r.Brief = false // Commit has to look again at what it replaces.
	if patch := r.Patch; patch != nil {
		r.Patch = func(old fs.FileInfo) (int64, error) {
			offset, err := patch(old)
			if err == nil {
				err = c.startWith(sizeOf(old), offset, r.Size)
			}
			return offset, err
		}
	} else if err := c.startWith(0, 0, r.Size); err != nil {
		return nil, err
	}
	if r.Kept != "" {
		c.offset, c.size = r.From, r.From
	}
	if err := q.begin(ctx, c, r); err != nil {
		q.account.release(c.reserved)
		return nil, err
	}
	return c, nil
}

// begin starts the replacement of the backend. If its content has a name, no walk sees it.
func (q *FS) begin(ctx context.Context, c *replacement, r storage.Replacing) (err error) {
	q.gate.RLock()
	defer q.gate.RUnlock()
	kept := q.keptAt(ctx, c.name, r)
	if c.Replacement, err = storage.ReplaceFile(ctx, q.FS, c.name, r); err != nil {
		return err
	}
	c.stage = storage.StageName(c.Replacement)
	switch {
	case c.stage == "":
	case r.Kept != "":
		q.account.unplace(c.stage, sizeOf(kept), r.From)
		c.reserved += r.From
	default:
		q.account.hide(c.stage)
	}
	return nil
}

// keptAt describes the content that r continues, or returns nil.
func (q *FS) keptAt(ctx context.Context, name string, r storage.Replacing) fs.FileInfo {
	if r.Kept == "" {
		return nil
	}
	info, err := storage.Lstat(ctx, q.FS, path.Join(path.Dir(name), r.Kept))
	if err != nil {
		return nil
	}
	return info
}

// stageFile is for a backend that can't replace files itself.
func (q *FS) stageFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if !q.account.reserve(r.Size) {
		return nil, exceeded(name)
	}
	q.account.release(r.Size) // The stage is a file like any other, and counts as it grows.
	return storage.StageFile(ctx, q, name, r)
}

// replacement counts what is written to a storage.Replacement.
type replacement struct {
	storage.Replacement
	quota *FS
	name  string
	// stage is the name of the content in the tree, or "" if it has none.
	stage string
	// offset is where the next byte goes, and size the length of the content so far.
	offset, size int64
	reserved     int64
	closed       bool
}

// StageName implements storage.Stager.
func (r *replacement) StageName() string { return r.stage }

// Prepare implements storage.Preparer. It changes no name.
func (r *replacement) Prepare(ctx context.Context) error { return storage.Prepare(ctx, r.Replacement) }

// startWith reserves room for content that starts as a copy of old bytes. The caller then
// writes length bytes from offset on.
func (r *replacement) startWith(old, offset, length int64) error {
	r.size, r.offset = old, offset
	return r.reserve(max(old, offset+length))
}

// reserve makes sure that size bytes are reserved.
func (r *replacement) reserve(size int64) error {
	more := size - r.reserved
	if more <= 0 {
		return nil
	}
	if !r.quota.account.reserve(more) {
		return exceeded(r.name)
	}
	r.reserved = size
	return nil
}

func (r *replacement) wrote(n int64) {
	r.offset += n
	r.size = max(r.size, r.offset)
}

// Write implements io.Writer. If the limit doesn't allow all of p, it writes nothing.
func (r *replacement) Write(p []byte) (int, error) {
	if err := r.reserve(r.offset + int64(len(p))); err != nil {
		return 0, err
	}
	n, err := r.Replacement.Write(p)
	r.wrote(int64(n))
	return n, err
}

// ReadFrom lets the backend copy what is reserved already, and writes the rest.
func (r *replacement) ReadFrom(src io.Reader) (n int64, err error) {
	direct, ok := r.Replacement.(io.ReaderFrom)
	if limit := r.reserved - r.offset; ok && limit > 0 {
		n, err = direct.ReadFrom(io.LimitReader(src, limit))
		r.wrote(n)
		if err != nil || n < limit {
			return n, err
		}
	}
	rest, err := io.Copy(writerOnly{r}, src)
	return n + rest, err
}

// writerOnly hides ReadFrom.
type writerOnly struct{ io.Writer }

// Commit puts the content in place.
func (r *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if r.closed {
		return r.Replacement.Commit(ctx, p)
	}
	defer r.quota.lockFile(r.name)()
	var old int64
	check := p.Check
	p.Check = func(info fs.FileInfo) error {
		old = sizeOf(info)
		if check == nil {
			return nil
		}
		return check(info)
	}
	info, err := r.Replacement.Commit(ctx, p)
	r.close()
	if err != nil {
		r.quota.account.release(r.reserved)
		return nil, err
	}
	r.quota.account.replaced(r.name, old, r.size, r.reserved)
	return info, nil
}

// Discard deletes the content.
func (r *replacement) Discard() error {
	if r.closed {
		return r.Replacement.Discard()
	}
	r.quota.gate.RLock()
	defer r.quota.gate.RUnlock()
	err := r.Replacement.Discard()
	r.close()
	r.quota.account.release(r.reserved)
	return err
}

// Keep leaves the content, which from now on counts like a file.
func (r *replacement) Keep(ctx context.Context, sync storage.Sync) error {
	if r.closed {
		return storage.Keep(ctx, r.Replacement, sync)
	}
	r.quota.gate.RLock()
	defer r.quota.gate.RUnlock()
	err := storage.Keep(ctx, r.Replacement, sync)
	r.closed = true
	size := r.size
	if errors.Is(err, errors.ErrUnsupported) {
		size = 0
	}
	r.quota.account.placed(r.stage, size, r.reserved)
	return err
}

// close ends the stage. The caller holds the gate.
func (r *replacement) close() {
	r.closed = true
	if r.stage != "" {
		r.quota.account.placed(r.stage, 0, 0)
	}
}
