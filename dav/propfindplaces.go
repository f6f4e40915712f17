package dav

import (
	"context"
	"io/fs"
	"net/http"
	"path"
	"slices"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// lookUp finds out what belongs to resources, locks and dead properties, as far as it is
// asked for: at the root, which info describes, and below it as deep as depth says.
func (p *propfind) lookUp(r *http.Request, info fs.FileInfo, depth int) error {
	ctx := r.Context()
	p.lookedUp = ctx
	if !p.query.locks && !p.query.dead {
		return nil
	}
	var err error
	if p.at, err = p.handler.placeAt(ctx, p.root, info); err != nil {
		return err
	}
	if p.query.locks {
		if p.live.locks, err = p.handler.lockDiscovery(r, p.at, depth != 0); err != nil {
			return err
		}
	}
	if p.query.dead {
		p.dead, err = p.handler.newDeadReader(ctx, p.at.key, p.query)
	}
	return err
}

// places returns where members lead, nil if nothing belongs to any of them. It asks the
// storage once for a collection, and once for each symbolic link.
func (p *propfind) places(ctx context.Context, members []tree.Member) []place {
	inTree := p.dead != nil || p.live.locks != nil && len(p.live.locks.byRoot) > 0
	if !inTree {
		linked := slices.ContainsFunc(members, func(m tree.Member) bool { return m.Linked })
		if !linked || !p.live.locks.any() && p.deadOfLinks() == nil {
			return nil
		}
	}
	places := make([]place, len(members))
	var holder place
	for i := range members {
		m := &members[i]
		dir, base := path.Split(m.Name)
		dir = storage.Clean(dir)
		switch {
		case m.Name == p.root:
			places[i] = p.at
		case m.Linked:
			places[i] = p.placeOf(ctx, m.Name)
		default:
			if holder.asked != dir {
				holder = p.placeOf(ctx, dir)
			}
			places[i] = holder.member(base)
		}
	}
	return places
}

// deadOfLinks reads the dead properties of what links lead to, where there are none in
// the tree itself; nil: there are none anywhere, or none was asked for.
func (p *propfind) deadOfLinks() *deadReader {
	p.linkedOnce.Do(func() {
		if p.query.dead && p.dead == nil {
			// If they can't be read now, they are left out, as they would be elsewhere.
			p.linkedDead, _ = p.handler.newDeadReader(p.lookedUp, "/", p.query)
		}
	})
	return p.linkedDead
}

// reader reads the dead properties of m; nil: there are none.
func (p *propfind) reader(m *tree.Member) *deadReader {
	if p.dead != nil || !m.Linked {
		return p.dead
	}
	return p.deadOfLinks()
}

// closeDead gives back what the readers hold.
func (p *propfind) closeDead() {
	p.dead.close()
	p.linkedOnce.Do(func() {})
	p.linkedDead.close()
}

// placeOf is the place of name. If that can't be found out, nothing belongs to it.
func (p *propfind) placeOf(ctx context.Context, name string) place {
	if name == p.root {
		return p.at
	}
	at, err := p.handler.place(ctx, name, true)
	if err != nil {
		return place{asked: name, canon: storage.Canon{Name: name}, key: storage.OutsideKey}
	}
	return at
}

// readDead reads the dead properties of members, which lead to places, by their keys.
func (pg *page) readDead(ctx context.Context, members []tree.Member, places []place) stepProps {
	p := pg.propfind
	if places == nil {
		return stepProps{}
	}
	keyed := make([]tree.Member, 0, len(members))
	for i, m := range members {
		if reader := p.reader(&m); reader != nil {
			pg.dead = reader
			m.Name = places[i].key
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
