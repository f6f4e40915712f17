package dav

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/davd/davd/storage"
)

const (
	// indexLimit is how many members of a collection its page shows. They stay in memory,
	// where they are sorted, until the client has read the page.
	indexLimit = 100_000
	// indexStep is how many members are counted together.
	indexStep = 2048
	// indexDescribed is how many members are described together.
	indexDescribed = 256
)

// indexMembers holds the members of a collection for its page.
type indexMembers struct {
	h      *Handler
	client string
	all    []indexMember
	// limit is how many members to read; zero means indexLimit.
	limit int
	// whole is false if there may be more members.
	whole   bool
	entered int // how many are counted in Handler.listings
}

// indexMember is a member of a collection, as its page shows it.
type indexMember struct {
	name string
	// size is in bytes, modified in seconds since 1970.
	size, modified int64
	collection     bool
	// described is false if the storage gave only the name.
	described bool
}

// read reads the members of the collection name and sorts them, collections first.
func (m *indexMembers) read(ctx context.Context, name string) error {
	listing, err := storage.ListShown(ctx, m.h.FileSystem, name)
	if err != nil {
		return err
	}
	defer listing.Close()
	limit := m.max()
	var entries []storage.Entry
	for end := error(nil); !errors.Is(end, io.EOF) && len(m.all) < limit; {
		var found storage.Members
		found, end = listing.Next(ctx)
		if end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		if found == nil {
			continue
		}
		for from := 0; from < found.Len() && len(m.all) < limit; from += indexDescribed {
			entries = found.Describe(ctx, from, min(from+indexDescribed, found.Len()), entries[:0])
			if err := m.add(ctx, name, entries); err != nil {
				return err
			}
		}
	}
	m.whole = len(m.all) < limit
	slices.SortFunc(m.all, compareMembers)
	return nil
}

func (m *indexMembers) max() int { return cmp.Or(m.limit, indexLimit) }

// sort sorts the members in the order of the query parameter sort: by name, size, time or kind,
// and with "-" before it backwards. Collections stay before files.
func (m *indexMembers) sort(order string) {
	by, backwards := strings.CutPrefix(order, "-")
	compare, ok := memberOrders[by]
	if !ok || by == "name" && !backwards {
		return
	}
	slices.SortStableFunc(m.all, func(a, b indexMember) int {
		if a.collection != b.collection {
			return compareMembers(a, b)
		}
		if backwards {
			a, b = b, a
		}
		return compare(a, b)
	})
}

// memberOrders are the values of the query parameter sort.
var memberOrders = map[string]func(a, b indexMember) int{
	"name": compareMembers,
	"size": func(a, b indexMember) int { return cmp.Compare(a.size, b.size) },
	"time": func(a, b indexMember) int { return cmp.Compare(a.modified, b.modified) },
	"kind": func(a, b indexMember) int {
		return strings.Compare(strings.ToLower(path.Ext(a.name)), strings.ToLower(path.Ext(b.name)))
	},
}

// add adds those entries that a client can GET.
func (m *indexMembers) add(ctx context.Context, collection string, entries []storage.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range entries {
		if len(m.all) == m.max() {
			break
		}
		if err := m.count(); err != nil {
			return err
		}
		if member, ok := m.describe(ctx, collection, &entries[i]); ok {
			m.all = append(m.all, member)
		}
	}
	return nil
}

// describe returns what the page shows of an entry; ok is false if it shows nothing.
// It shows an entry by its name alone if the entry can't be described, as that of a
// dead mount.
func (m *indexMembers) describe(ctx context.Context, collection string, entry *storage.Entry) (member indexMember, ok bool) {
	if storage.Reserved(entry.Name) {
		return member, false
	}
	info, err := entry.Info, entry.Err
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if info, err = m.h.FileSystem.Stat(ctx, path.Join(collection, entry.Name)); err != nil {
			return member, false // dangling link
		}
	}
	if err != nil {
		return indexMember{name: entry.Name}, !errors.Is(err, fs.ErrNotExist)
	}
	return indexMember{
		name: entry.Name, size: info.Size(), modified: info.ModTime().Unix(), collection: info.IsDir(), described: true,
	}, info.IsDir() || info.Mode().IsRegular()
}

// count counts the members in steps, so that a small collection need not be counted.
func (m *indexMembers) count() error {
	if len(m.all) < m.entered+indexStep {
		return nil
	}
	if err := m.h.kept().listings.indexed.Enter(&indexBound, m.client, indexStep); err != nil {
		return err
	}
	m.entered += indexStep
	return nil
}

// release ends the counting of the members.
func (m *indexMembers) release() {
	if m.entered > 0 {
		m.h.kept().listings.indexed.Leave(m.client, m.entered)
	}
}

// compareMembers sorts collections before files, and ignores the case of ASCII letters.
func compareMembers(a, b indexMember) int {
	if a.collection != b.collection {
		if a.collection {
			return -1
		}
		return 1
	}
	for i := range min(len(a.name), len(b.name)) {
		if x, y := lower(a.name[i]), lower(b.name[i]); x != y {
			return int(x) - int(y)
		}
	}
	return cmp.Or(len(a.name)-len(b.name), strings.Compare(a.name, b.name))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
