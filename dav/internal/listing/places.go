package listing

import (
	"context"
	"io/fs"
	"path"
	"slices"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// lookUp looks up the locks and dead properties that the query needs, for the root,
// which info describes, and its members down to depth.
func (p *Answer) lookUp(ctx context.Context, info fs.FileInfo, depth int) error {
	if !p.about.Query.locks && !p.about.Query.dead {
		return nil
	}
	var err error
	if p.at, err = p.server.Names.PlaceAt(ctx, p.about.Name, info); err != nil {
		return err
	}
	if p.about.Query.locks {
		if p.live.locks, err = p.server.Locks.Discover(ctx, storage.PrincipalOf(ctx), p.at, depth != 0); err != nil {
			return err
		}
	}
	if p.about.Query.dead {
		p.dead, err = newDeadReader(ctx, &p.server, p.at.Key, p.about.Query)
	}
	return err
}

// places returns the places of members, or nil if none of them has locks or dead
// properties. It calls the storage once for each collection and each symbolic link.
func (p *Answer) places(ctx context.Context, members []tree.Member) []place.Place {
	inTree := p.dead != nil || p.live.locks.Found()
	if !inTree {
		linked := slices.ContainsFunc(members, func(m tree.Member) bool { return m.Linked })
		if !linked || !p.live.locks.Any() && p.deadOfLinks() == nil {
			return nil
		}
	}
	places := make([]place.Place, len(members))
	var holder place.Place
	for i := range members {
		m := &members[i]
		dir, base := path.Split(m.Name)
		dir = storage.Clean(dir)
		switch {
		case m.Name == p.about.Name:
			places[i] = p.at
		case m.Linked:
			places[i] = p.placeOf(ctx, m.Name)
		default:
			if holder.Asked != dir {
				holder = p.placeOf(ctx, dir)
			}
			places[i] = holder.Member(base)
		}
	}
	return places
}

// deadOfLinks returns a reader for the dead properties of link targets, for a tree that
// has none itself. It returns nil if no resource at all has any or the query needs none.
func (p *Answer) deadOfLinks() *deadReader {
	p.linkedOnce.Do(func() {
		if p.about.Query.dead && p.dead == nil {
			// If they can't be read, the answer leaves them out.
			p.linkedDead, _ = newDeadReader(p.ctx, &p.server, "/", p.about.Query)
		}
	})
	return p.linkedDead
}

// reader returns the reader for the dead properties of m, or nil if it has none.
func (p *Answer) reader(m *tree.Member) *deadReader {
	if p.dead != nil || !m.Linked {
		return p.dead
	}
	return p.deadOfLinks()
}

// Close releases the resources of the readers.
func (p *Answer) Close() {
	p.dead.close()
	p.linkedOnce.Do(func() {})
	p.linkedDead.close()
}

// placeOf returns the place of name. If that can't be found out, it returns a place
// that has neither locks nor properties.
func (p *Answer) placeOf(ctx context.Context, name string) place.Place {
	if name == p.about.Name {
		return p.at
	}
	at, err := p.server.Names.Place(ctx, name, true)
	if err != nil {
		return place.Place{Asked: name, Canon: storage.Canon{Name: name, Key: storage.OutsideKey}}
	}
	return at
}

// readDead reads the dead properties of members. places are the places of members.
func (pg *page) readDead(ctx context.Context, members []tree.Member, places []place.Place) stepProps {
	p := pg.propfind
	if places == nil {
		return stepProps{}
	}
	keyed := make([]tree.Member, 0, len(members))
	for i, m := range members {
		if reader := p.reader(&m); reader != nil {
			pg.dead = reader
			m.Name = places[i].Key
			keyed = append(keyed, m)
		}
	}
	if len(keyed) == 0 {
		return stepProps{}
	}
	read := pg.dead.read(ctx, keyed)
	pg.bytes = read.bytes
	return read
}
