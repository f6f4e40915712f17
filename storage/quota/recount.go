package quota

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
)

// Count is the result of a walk.
type Count struct {
	// Used is the number of bytes found, and Before what was assumed until then.
	Used   int64 `json:"used"`
	Before int64 `json:"before"`
	// First says that this was the first walk, so Before says nothing.
	First bool `json:"first"`
	// Files is the number of regular files found.
	Files int64 `json:"files"`
	// Unreadable is the number of collections that couldn't be listed for lack of
	// permission. Their content isn't counted.
	Unreadable int64         `json:"unreadable"`
	Took       time.Duration `json:"took"`
	// Err is the reason why the walk failed. The usage is then as before.
	Err error `json:"-"`
}

// firstCount is the walk that the first change waits for.
type firstCount struct {
	done atomic.Bool

	mu sync.Mutex
	// running is closed when the walk ends; nil if none is running.
	running chan struct{}
	err     error
}

// ready waits until the tree has been counted. If a walk fails, the next call tries again.
func (q *FS) ready(ctx context.Context) error {
	if q.first.done.Load() {
		return nil
	}
	q.first.mu.Lock()
	running := q.first.running
	if running == nil && !q.first.done.Load() {
		running = make(chan struct{})
		q.first.running = running
		// The walk continues for others if this caller gives up.
		go q.countFirst(context.WithoutCancel(ctx), running)
	}
	q.first.mu.Unlock()
	if running == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-running:
	}
	if q.first.done.Load() {
		return nil
	}
	q.first.mu.Lock()
	defer q.first.mu.Unlock()
	return q.first.err
}

func (q *FS) countFirst(ctx context.Context, running chan struct{}) {
	_, err := q.walk(ctx)
	q.first.mu.Lock()
	defer q.first.mu.Unlock()
	q.first.running, q.first.err = nil, err
	close(running)
}

// Recount counts the tree, so that the usage includes what other processes have changed. The
// result is exact although this FS goes on changing the tree. Changes by other
// processes during the walk may be included or not. Calls that change something wait while the walk
// looks at a collection, but not from one to the next.
func (q *FS) Recount(ctx context.Context) (Count, error) {
	if err := q.ready(ctx); err != nil {
		return Count{}, err
	}
	return q.walk(ctx)
}

// walk counts the tree, and then makes the result the usage.
func (q *FS) walk(ctx context.Context) (Count, error) {
	q.recounting.Lock()
	defer q.recounting.Unlock()
	start := time.Now()
	r := newRecount()
	count := Count{First: !q.first.done.Load()}
	q.setOut(r)
	for dir := q.next(r, &count); dir != ""; dir = q.next(r, &count) {
		if err := q.visit(ctx, r, dir); err != nil {
			q.stop()
			count.Err = err
			break
		}
	}
	count.Files, count.Unreadable, count.Took = r.files, r.unreadable, time.Since(start)
	if q.options.Counted != nil {
		q.options.Counted(count)
	}
	return count, count.Err
}

func (q *FS) setOut(r *recount) {
	q.gate.Lock()
	defer q.gate.Unlock()
	q.account.mu.Lock()
	defer q.account.mu.Unlock()
	q.account.recount = r
}

func (q *FS) stop() {
	q.account.mu.Lock()
	defer q.account.mu.Unlock()
	q.account.recount = nil
}

// next returns the next collection that the walk has to look at. If none is left, it returns
// "" and makes the result the usage.
func (q *FS) next(r *recount, count *Count) string {
	q.account.mu.Lock()
	defer q.account.mu.Unlock()
	if dir := r.pop(); dir != "" {
		return dir
	}
	count.Used, count.Before = r.found, q.account.used
	q.account.used = r.found
	q.account.recount = nil
	q.first.done.Store(true)
	return ""
}

// visit counts the files in the collection dir, and finds the collections in it.
func (q *FS) visit(ctx context.Context, r *recount, dir string) error {
	q.gate.Lock()
	defer q.gate.Unlock()
	// A collection above dir may have been renamed since next.
	if !q.due(r, dir) {
		return nil
	}
	var collections []string
	files := make(map[string]int64)
	var failed error
	for info, err := range storage.ReadDir(ctx, q.FS, dir) {
		switch {
		case err != nil:
			failed = err
		case info.IsDir():
			collections = append(collections, path.Join(dir, info.Name()))
		case info.Mode().IsRegular():
			files[path.Join(dir, info.Name())] = info.Size()
		}
	}
	switch {
	case errors.Is(failed, fs.ErrPermission):
		r.unreadable++
	case failed != nil && (dir == "/" || !errors.Is(failed, fs.ErrNotExist)):
		return failed
	}
	q.account.mu.Lock()
	defer q.account.mu.Unlock()
	for name, size := range files {
		if _, skip := q.account.unplaced[name]; skip {
			continue
		}
		if open := q.account.open[name]; open != nil {
			size = open.size
		}
		r.found += size
		r.files++
	}
	r.visited(dir, collections)
	return nil
}

func (q *FS) due(r *recount, dir string) bool {
	q.account.mu.Lock()
	defer q.account.mu.Unlock()
	return r.marks[dir] == due
}

// mark says whether the walk has yet to come to a tree. It holds for everything below the
// name, except for what is below another mark.
type mark int

const (
	due mark = iota + 1
	done
)

// recount is a walk, which may come to the collections in any order. A change of a file
// changes found if the walk has already visited its collection. All fields belong to account.mu.
type recount struct {
	found, files, unreadable int64
	// marks are kept only where they differ from what applies to the collection above.
	// Without any mark, the walk is done.
	marks map[string]mark
	// stack contains all names whose mark is due, and others.
	stack []string
}

func newRecount() *recount {
	return &recount{marks: map[string]mark{"/": due}, stack: []string{"/"}}
}

// pop returns a name whose mark is due, or "" if none is left. The mark stays.
func (r *recount) pop() string {
	for len(r.stack) > 0 {
		last := len(r.stack) - 1
		name := r.stack[last]
		r.stack = r.stack[:last]
		if r.marks[name] == due {
			return name
		}
	}
	return ""
}

// visited says that the files of dir have been counted and that it contains collections.
func (r *recount) visited(dir string, collections []string) {
	delete(r.marks, dir)
	for _, name := range collections {
		if r.marks[name] == done {
			delete(r.marks, name)
			continue
		}
		r.set(name, due)
	}
}

func (r *recount) set(name string, m mark) {
	r.marks[name] = m
	if m == due {
		r.stack = append(r.stack, name)
	}
}

// counted reports whether the walk has counted the file name, or would have if it had
// existed.
func (r *recount) counted(name string) bool { return r.state(path.Dir(name)) == done }

// state returns the mark that applies to the collection name.
func (r *recount) state(name string) mark {
	for {
		if m := r.marks[name]; m != 0 {
			return m
		}
		if name == "/" {
			return done
		}
		name = path.Dir(name)
	}
}

// moved is a tree with its marks, by the rest of their names.
type moved struct {
	state mark
	marks map[string]mark
}

// take removes the marks of the collection name.
func (r *recount) take(name string) moved {
	t := moved{state: r.state(name), marks: make(map[string]mark)}
	for at, m := range r.marks {
		rest, ok := within(at, name)
		if ok && rest != "" {
			t.marks[rest] = m
		}
		if ok {
			delete(r.marks, at)
		}
	}
	return t
}

// put gives the collection name the marks of t.
func (r *recount) put(name string, t moved) {
	r.take(name) // of what had this name before
	if r.state(name) != t.state {
		r.set(name, t.state)
	}
	for rest, m := range t.marks {
		r.set(path.Join(name, rest), m)
	}
}
