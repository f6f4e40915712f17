package names

import (
	"context"
	"iter"

	"github.com/davd/davd/storage/internal/tables"
)

// objectPage is how many objects a statement reads.
const objectPage = 1000

// Objects implements [Collecting].
func (s *Space) Objects(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		after := ""
		for {
			page, err := s.objects(ctx, after)
			if err != nil {
				yield(Object{}, s.failed("objects", "/", err))
				return
			}
			for _, o := range page {
				if !yield(o, nil) {
					return
				}
			}
			if len(page) < objectPage {
				return
			}
			after = page[len(page)-1].Key
		}
	}
}

// objects returns the next objects with references.
func (s *Space) objects(ctx context.Context, after string) (page []Object, err error) {
	var files []int64
	// With max(id) alone, PostgreSQL would search all files for each object, the newest first.
	err = tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
		var (
			o    Object
			file int64
		)
		err := rows.Scan(&o.Key, &o.Size, &file)
		page, files = append(page, o), append(files, file)
		return err
	}, "SELECT key, size, (SELECT max(id + 0) FROM entries WHERE blob = key) FROM objects WHERE volume = $1 AND key > $2 AND (key < '=' OR key >= '>')"+
		" AND EXISTS (SELECT 1 FROM entries WHERE blob = key) ORDER BY key LIMIT $3", s.id, after, objectPage)
	if err != nil {
		return nil, err
	}
	up, err := s.upwards(ctx, files)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		page[i].Name, page[i].SHA256 = s.nameOf(up, file), up[file].sha256
	}
	return page, nil
}

// nameOf returns the name of an entry; "" if it was detached, or can't be reached.
func (s *Space) nameOf(up map[int64]link, id int64) (name string) {
	for depth := 0; id != s.root; id = up[id].parent {
		if depth++; id == s.trash || id == 0 || depth > len(up) {
			return ""
		}
		name = "/" + up[id].name + name
	}
	return name
}

// link is the name and collection of an entry.
type link struct {
	parent int64
	name   string
	sha256 []byte
}

// upwards returns the links of entries and of all collections above.
func (s *Space) upwards(ctx context.Context, ids []int64) (map[int64]link, error) {
	up := make(map[int64]link, len(ids))
	for len(ids) > 0 {
		var next []int64
		err := tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
			var n node
			if err := rows.Scan(n.columns()...); err != nil {
				return err
			}
			n.finish()
			up[n.ID] = link{n.Parent, n.Name, n.SHA256}
			if _, known := up[n.Parent]; !known && n.Parent != 0 {
				up[n.Parent] = link{} // until it is read
				next = append(next, n.Parent)
			}
			return nil
		}, "SELECT "+columns+" FROM entries WHERE id IN "+s.sql.ids("$1"), number(ids))
		if err != nil {
			return nil, err
		}
		ids = next
	}
	return up, nil
}

// Known implements [Collecting].
func (s *Space) Known(ctx context.Context, key string) (bool, error) {
	found, err := exists(ctx, s.db.Reader(), "SELECT 1 FROM entries WHERE blob = $1 LIMIT 1", []any{tables.Text(key)})
	return found, s.failed("objects", "/", err)
}
