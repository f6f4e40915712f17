package objectfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"syscall"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// pageSize is how many members one statement finds.
const pageSize = 2000

// List opens the collection name for listing.
func (f *FS) List(ctx context.Context, name string) (storage.Listing, error) {
	node, _, err := f.find(ctx, name)
	if err != nil {
		return nil, at("open", name, err)
	}
	return f.list(ctx, node, name), nil
}

func (f *FS) list(ctx context.Context, node names.Node, name string) *listing {
	fetching, stop := context.WithCancel(context.WithoutCancel(ctx))
	return &listing{fs: f, node: node, name: name, fetching: fetching, stop: stop}
}

// listing is a collection that is open for listing. It fetches the next page while the caller uses
// the present one.
type listing struct {
	fs    *FS
	node  names.Node
	name  string // as the caller asked
	after string // the last member that was found, in normal form C
	end   bool
	ahead chan page // receives the next page, if that is being fetched

	fetching context.Context //nolint:containedctx // ends with Close
	stop     context.CancelFunc
}

type page struct {
	nodes []names.Node
	err   error
}

// Next returns the next page.
func (l *listing) Next(ctx context.Context) (storage.Members, error) {
	p, err := l.next(ctx)
	switch {
	case err != nil:
		return nil, at("readdir", l.name, err)
	case l.end:
		return members{l.fs, p}, io.EOF
	}
	return members{l.fs, p}, nil
}

func (l *listing) next(ctx context.Context) ([]names.Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch {
	case !l.node.Dir:
		return nil, syscall.ENOTDIR
	case l.end:
		return nil, nil
	}
	p, err := l.page(ctx)
	if err != nil {
		return nil, err
	}
	if len(p) < l.fs.page {
		l.end = true
	} else {
		l.after = norm.NFC.String(p[len(p)-1].Name)
		l.fetchAhead()
	}
	for i := range p {
		if keepsParts(p[i]) {
			if p[i], err = l.fs.whole(ctx, p[i]); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// page returns the page that was fetched ahead, or fetches it.
func (l *listing) page(ctx context.Context) ([]names.Node, error) {
	if l.ahead == nil {
		return l.fs.options.Names.Members(ctx, l.node.ID, l.after, l.fs.page)
	}
	select {
	case p := <-l.ahead:
		l.ahead = nil
		return p.nodes, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fetchAhead begins to fetch the next page. In a transaction, only one statement may run at a time.
func (l *listing) fetchAhead() {
	if l.fs.options.Names.InTransaction(l.fetching) {
		return
	}
	ahead := make(chan page, 1)
	l.ahead = ahead
	after := l.after
	go func() {
		nodes, err := l.fs.options.Names.Members(l.fetching, l.node.ID, after, l.fs.page)
		ahead <- page{nodes, err}
	}()
}

// Close ends the listing, and waits for a page that is being fetched.
func (l *listing) Close() error {
	l.stop()
	if l.ahead != nil {
		<-l.ahead
		l.ahead = nil
	}
	l.end = true
	return nil
}

// members are one page. They are described already.
type members struct {
	fs    *FS
	nodes []names.Node
}

// Len implements storage.Members.
func (m members) Len() int { return len(m.nodes) }

// Describe implements storage.Members.
func (m members) Describe(_ context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	infos := make([]info, to-from)
	for i, node := range m.nodes[from:to] {
		infos[i] = info{Node: node, name: node.Name, device: m.fs.device}
		dst = append(dst, storage.Entry{Name: node.Name, Info: &infos[i]})
	}
	return dst
}

// collection is an open collection.
type collection struct {
	*listing
	info   fs.FileInfo
	unread []fs.FileInfo
}

// Readdir is that of an *os.File.
func (c *collection) Readdir(count int) ([]fs.FileInfo, error) {
	var found []fs.FileInfo
	for count <= 0 || len(found) < count {
		if len(c.unread) == 0 {
			if err := c.read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return found, err
			}
		}
		n := len(c.unread)
		if count > 0 {
			n = min(n, count-len(found))
		}
		found = append(found, c.unread[:n]...)
		c.unread = c.unread[n:]
	}
	if count > 0 && len(found) == 0 {
		return nil, io.EOF
	}
	return found, nil
}

// read reads the next page. It returns io.EOF if no member is left.
func (c *collection) read() error {
	if c.fetching.Err() != nil {
		return at("readdir", c.name, fs.ErrClosed)
	}
	if c.end {
		return io.EOF
	}
	found, err := c.Next(c.fetching)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, entry := range found.Describe(c.fetching, 0, found.Len(), nil) {
		c.unread = append(c.unread, entry.Info)
	}
	if len(c.unread) == 0 {
		return io.EOF
	}
	return nil
}

// Stat describes the collection when it was opened.
func (c *collection) Stat() (fs.FileInfo, error) { return c.info, nil }

// Read fails, like Write and Seek.
func (c *collection) Read([]byte) (int, error) { return 0, at("read", c.name, syscall.EISDIR) }

// Write fails.
func (c *collection) Write([]byte) (int, error) { return 0, at("write", c.name, syscall.EBADF) }

// Seek fails.
func (c *collection) Seek(int64, int) (int64, error) { return 0, at("seek", c.name, syscall.EISDIR) }
