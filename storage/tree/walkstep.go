package tree

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/davd/davd/storage"
)

// get returns an empty slice from pool.
func get[T any](pool *sync.Pool) *[]T {
	if pooled, ok := pool.Get().(*[]T); ok {
		return pooled
	}
	return new([]T)
}

// put clears used, which is what the caller has made of pooled, and returns its memory to
// pool.
func put[T any](pool *sync.Pool, pooled *[]T, used []T) {
	clear(used)
	*pooled = used[:0]
	pool.Put(pooled)
}

// find finds members for the step and inserts what follows from that.
func (k *walking) find(s *step) {
	of := s.of
	found, err := k.next(of)
	k.mu.Lock()
	defer k.mu.Unlock()
	if found != nil {
		s.found, s.to = found, min(k.size, found.Len())
		of.since += found.Len()
		k.found += found.Len()
	}
	if err != nil {
		of.ended = true
		if !errors.Is(err, io.EOF) {
			of.err = err
		}
	}
	k.beginMembers(s)
	k.ahead += s.to + 1 - s.cost
	s.cost = s.to + 1
	of.follow(s)
	k.help()
}

// next finds some more members of a collection.
func (k *walking) next(of *walked) (storage.Members, error) {
	k.mu.Lock()
	listing := k.listings[of]
	full := k.Limit > 0 && k.found >= k.Limit && !of.visited
	k.mu.Unlock()
	if full {
		return nil, storage.ErrTooManyMembers
	}
	if of.branch.over() {
		return nil, io.EOF
	}
	if listing == nil {
		list := storage.List
		if k.Shown {
			list = storage.ListShown
		}
		var err error
		if listing, err = list(k.ctx, k.FS, of.name); err != nil {
			return nil, err
		}
		k.mu.Lock()
		k.listings[of] = listing
		k.mu.Unlock()
	}
	return listing.Next(k.ctx)
}

// beginMembers puts the collection itself before its first members. So a collection that
// can't be listed at all appears once, with its error.
func (k *walking) beginMembers(s *step) {
	s.pooled = get[Member](&k.workers.members)
	s.members = *s.pooled
	of := s.of
	if of.visited {
		return
	}
	of.visited = true
	itself := Member{Name: of.name, Info: of.info, Linked: of.linked}
	if s.to == 0 {
		itself.Err, of.err = of.err, nil
	}
	s.members = append(s.members, itself)
}

// describe describes the members of a step.
func (k *walking) describe(s *step) {
	of := s.of
	if s.broken {
		s.members = append(s.members, Member{Name: of.name, Info: of.info, Err: of.err, Linked: of.linked, Partial: true})
	}
	if s.from == s.to {
		return
	}
	pooled := get[storage.Entry](&k.workers.entries)
	entries := s.found.Describe(k.ctx, s.from, s.to, (*pooled)[:0])
	names := memberNames(of.name, entries)
	for i := range entries {
		k.entry(s, names[i], &entries[i])
	}
	put(&k.workers.entries, pooled, entries)
	s.found = nil
}

// entry adds what a client sees in place of an entry.
func (k *walking) entry(s *step, name string, entry *storage.Entry) {
	info, err := entry.Info, entry.Err
	if err == nil {
		info, err = k.see(s.of, name, info)
	}
	if info == nil && err == nil {
		return
	}
	linked := s.of.linked || entry.Err == nil && entry.Info.Mode()&fs.ModeSymlink != 0
	s.members = append(s.members, Member{Name: name, Info: info, Err: err, Linked: linked})
	if err == nil && info.IsDir() && s.of.depth != 0 && !s.of.loops(info) {
		// Its own first step delivers it.
		s.members = s.members[:len(s.members)-1]
		below := newWalked(name, info, s.of.depth, s.of.lineage, s.of.branch)
		below.linked = linked
		s.below = append(s.below, below)
	}
}

// see returns what is seen in place of an entry of a collection; nil if nothing is.
func (k *walking) see(of *walked, name string, entry fs.FileInfo) (fs.FileInfo, error) {
	if of.branch != nil {
		return of.branch.see(k.ctx, name, entry, of.linked)
	}
	return follow(k.ctx, k.FS, name, entry)
}

// memberNames returns the names of the entries of a collection. They share one string.
func memberNames(collection string, entries []storage.Entry) []string {
	if collection == "/" {
		collection = ""
	}
	size := 0
	for i := range entries {
		size += len(collection) + len("/") + len(entries[i].Name)
	}
	var text strings.Builder
	text.Grow(size)
	names := make([]string, len(entries))
	for i := range entries {
		start := text.Len()
		text.WriteString(collection)
		text.WriteByte('/')
		text.WriteString(entries[i].Name)
		names[i] = text.String()[start:]
	}
	return names
}
