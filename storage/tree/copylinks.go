package tree

import (
	"context"

	"github.com/davd/davd/storage"
)

// link takes a symbolic link that will be copied as a link.
func (l *listing) link(name string) error {
	l.links = append(l.links, name)
	if len(l.links) == copyBatchFiles {
		return l.flushLinks()
	}
	return nil
}

// flushLinks hands the batch of links to the crew.
func (l *listing) flushLinks() error {
	if len(l.links) == 0 {
		return nil
	}
	links := l.links
	l.links = nil
	l.of.add()
	return l.crew.submit(l.linkBatch(l.of, links))
}

// linkBatch returns the job that copies links of a collection as links. It copies no
// properties: for a link, the storage would read and change those of its target,
// including the modification time.
func (c *copier) linkBatch(of *copied, names []string) job {
	return func(ctx context.Context, _ *turn) error {
		source, target := of.name(), of.target()
		c.mon.Begin(below(source, names[0]))
		for _, name := range names {
			err := storage.CopyLink(ctx, c.FS, below(source, name), below(target, name))
			if err := c.done(of, below(source, name), err); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return c.leave(ctx, of)
	}
}
