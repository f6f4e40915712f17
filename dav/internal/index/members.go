// Package index lists a collection for people: its members in memory, in an order, and the plain page.
package index

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/storage"
)

const (
	// maxMembers is how many members of a collection its page shows. They stay in memory,
	// where they are sorted, until the client has read the page.
	maxMembers = 100_000
	// countStep is how many members are counted together.
	countStep = 2048
	// describeStep is how many members are described together.
	describeStep = 256
)

// bound limits the members of collections that are in memory to be sorted for indexes.
// That is enough for five of the longest indexes, and for two of one client. Each member takes
// about 80 bytes, and as much again until the next garbage collection.
var bound = limit.Bound{
	Most: 1 << 19, MostOf: 1 << 18,
	What: "members in indexes", Instead: "mount the share",
}

// Members holds the members of a collection for its page. The caller must call Release at the end.
type Members struct {
	FS storage.FS
	// Counter counts the members that are in memory, for Client.
	Counter *limit.Counter
	Client  string
	// Limit is how many members to read; zero means 100,000.
	Limit int
	// All are the members. Whole is false if there may be more.
	All     []Member
	Whole   bool
	entered int // how many are counted
}

// Member is a member of a collection, as its page shows it.
type Member struct {
	Name string
	// Size is in bytes, Modified in seconds since 1970.
	Size, Modified int64
	Collection     bool
	// Described is false if the storage gave only the name.
	Described bool
}

// Read reads the members of the collection name and sorts them, collections first. It returns a 503 if
// too many are in memory.
func (m *Members) Read(ctx context.Context, name string) error {
	listing, err := storage.ListShown(ctx, m.FS, name)
	if err != nil {
		return err
	}
	defer listing.Close()
	most := m.max()
	var entries []storage.Entry
	for end := error(nil); !errors.Is(end, io.EOF) && len(m.All) < most; {
		var found storage.Members
		found, end = listing.Next(ctx)
		if end != nil && !errors.Is(end, io.EOF) {
			return end
		}
		if found == nil {
			continue
		}
		for from := 0; from < found.Len() && len(m.All) < most; from += describeStep {
			entries = found.Describe(ctx, from, min(from+describeStep, found.Len()), entries[:0])
			if err := m.add(ctx, name, entries); err != nil {
				return err
			}
		}
	}
	m.Whole = len(m.All) < most
	slices.SortFunc(m.All, Compare)
	return nil
}

func (m *Members) max() int { return cmp.Or(m.Limit, maxMembers) }

// Sort sorts the members in the order of the query parameter sort: by name, size, time or kind,
// and with "-" before it backwards. Collections stay before files.
func (m *Members) Sort(order string) {
	by, backwards := strings.CutPrefix(order, "-")
	compare, ok := memberOrders[by]
	if !ok || by == "name" && !backwards {
		return
	}
	slices.SortStableFunc(m.All, func(a, b Member) int {
		if a.Collection != b.Collection {
			return Compare(a, b)
		}
		if backwards {
			a, b = b, a
		}
		return compare(a, b)
	})
}

// memberOrders are the values of the query parameter sort.
var memberOrders = map[string]func(a, b Member) int{
	"name": Compare,
	"size": func(a, b Member) int { return cmp.Compare(a.Size, b.Size) },
	"time": func(a, b Member) int { return cmp.Compare(a.Modified, b.Modified) },
	"kind": func(a, b Member) int {
		return strings.Compare(strings.ToLower(path.Ext(a.Name)), strings.ToLower(path.Ext(b.Name)))
	},
}

// add adds those entries that a client can GET.
func (m *Members) add(ctx context.Context, collection string, entries []storage.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range entries {
		if len(m.All) == m.max() {
			break
		}
		if err := m.count(); err != nil {
			return err
		}
		if member, ok := m.describe(ctx, collection, &entries[i]); ok {
			m.All = append(m.All, member)
		}
	}
	return nil
}

// describe returns what the page shows of an entry; ok is false if it shows nothing.
// It shows an entry by its name alone if the entry can't be described, as that of a
// dead mount.
func (m *Members) describe(ctx context.Context, collection string, entry *storage.Entry) (member Member, ok bool) {
	if storage.Reserved(entry.Name) {
		return member, false
	}
	info, err := entry.Info, entry.Err
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if info, err = m.FS.Stat(ctx, path.Join(collection, entry.Name)); err != nil {
			return member, false // dangling link
		}
	}
	if err != nil {
		return Member{Name: entry.Name}, !errors.Is(err, fs.ErrNotExist)
	}
	return Member{
		Name: entry.Name, Size: info.Size(), Modified: info.ModTime().Unix(), Collection: info.IsDir(), Described: true,
	}, info.IsDir() || info.Mode().IsRegular()
}

// count counts the members in steps, so that a small collection doesn't need to be counted.
func (m *Members) count() error {
	if len(m.All) < m.entered+countStep {
		return nil
	}
	if err := m.Counter.Enter(&bound, m.Client, countStep); err != nil {
		return err
	}
	m.entered += countStep
	return nil
}

// Release ends the counting of the members.
func (m *Members) Release() {
	if m.entered > 0 {
		m.Counter.Leave(m.Client, m.entered)
	}
}

// Compare sorts collections before files, and ignores the case of ASCII letters.
func Compare(a, b Member) int {
	if a.Collection != b.Collection {
		if a.Collection {
			return -1
		}
		return 1
	}
	for i := range min(len(a.Name), len(b.Name)) {
		if x, y := lower(a.Name[i]), lower(b.Name[i]); x != y {
			return int(x) - int(y)
		}
	}
	return cmp.Or(len(a.Name)-len(b.Name), strings.Compare(a.Name, b.Name))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
