package names

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/internal/tables"
)

// Requests that put files at the same time share a transaction, if the database can gather theirs. What
// costs most, to begin and to commit, is then done once for all of them. While one transaction is
// on its way, the next requests gather for another one, so a lone request never waits.
//
// Each request makes its own checks, before anything is written. One that is refused leaves the
// others alone.

// mostGathered is how many requests share a transaction. Only one such transaction is on its way at a
// time: with two, each has half as many requests, and the database does nearly twice as much.
const mostGathered = 64

// errPanicked says that a check has panicked, in the goroutine of its request.
var errPanicked = errors.New("a check has panicked")

// putting is a request that waits for others.
type putting struct {
	ctx  context.Context //nolint:containedctx // lives as long as the call
	at   path
	key  string
	c    Content
	how  Placing
	spot spot

	// found is closed when spot is set, or alone.
	found chan struct{}
	alone bool
	// verdict is the result of the check.
	verdict chan error
	// placed is closed when made and err are set.
	placed chan struct{}
	made   Node
	err    error
}

// gatherer gathers requests.
type gatherer struct {
	mu      sync.Mutex
	waiting []*putting
	running bool // A goroutine takes requests.
}

// gather puts content together with other requests. ok is false if it must be put alone.
func (s *Space) gather(ctx context.Context, at path, c Content, how Placing) (made Node, ok bool, err error) {
	with, can := s.db.(tables.Gatherer)
	if !can || how.Rebuilt || !with.Waits(ctx) {
		return made, false, nil
	}
	key := keyOf(c)
	if epoch, _, _ := strings.Cut(key, "-"); key != "" && !inline(key) && epoch != s.db.Epoch() {
		return made, false, nil
	}
	p := &putting{ctx: ctx, at: at, key: key, c: c, how: how, found: make(chan struct{}), verdict: make(chan error, 1), placed: make(chan struct{})}
	s.puts.add(p, func() { s.putGathered(with) })
	<-p.found
	if p.alone {
		return made, false, nil
	}
	if err := s.judge(p); err != nil {
		return made, true, err
	}
	<-p.placed
	return p.made, true, p.err
}

// judge makes the checks of a request in its own goroutine. A request that is refused has its own transaction
// back when judge returns.
func (s *Space) judge(p *putting) (err error) {
	err = errPanicked
	defer func() {
		p.verdict <- err
		if err != nil {
			<-p.placed
		}
	}()
	err = s.mayPut(p.ctx, p.spot, p.c, p.how)
	return err
}

// add adds a request, and starts a goroutine that takes requests unless it runs.
func (g *gatherer) add(p *putting, work func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, p)
	if !g.running {
		g.running = true
		go work()
	}
}

// take returns the requests that have waited longest. If there are none, the goroutine ends.
func (g *gatherer) take() []*putting {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), mostGathered)
	if n == 0 {
		g.running = false
		return nil
	}
	all := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return all
}

// putGathered puts the content of waiting requests, until there are none.
func (s *Space) putGathered(with tables.Gatherer) {
	for all := s.puts.take(); all != nil; all = s.puts.take() {
		if g := s.findGathered(with, all); g != nil {
			s.placeGathered(g, all)
			<-g.Done()
		}
	}
}

// findGathered begins a transaction and finds the spots of all requests. It returns nil if each must be put
// alone.
func (s *Space) findGathered(with tables.Gatherer, all []*putting) tables.Gathering {
	g, err := s.spots(with, all)
	if g != nil && err != nil { // Each finds out for itself what is wrong.
		for i := range all {
			g.Release(i)
		}
		g = nil
	}
	for _, p := range all {
		p.alone = g == nil
		close(p.found)
	}
	return g
}

// spots finds the spots of all requests.
func (s *Space) spots(with tables.Gatherer, all []*putting) (tables.Gathering, error) {
	members := make([]context.Context, len(all))
	ups, folds, keys := make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, p := range all {
		members[i] = p.ctx //nolint:fatcontext // each is of another request
		ups[i], folds[i], keys[i] = strings.Join(p.at.up().folds, "/"), p.at.base(), p.key
	}
	args, used := []any{ups, folds, keys, s.root}, "0"
	if s.limit.Load() > 0 {
		args, used = append(args, s.id), "(SELECT CAST(sum(bytes) AS BIGINT) FROM volume_use WHERE volume = $5)"
	}
	g, rows, ok, err := with.Gather(context.Background(), members, `WITH w AS (SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) WITH ORDINALITY AS t(up, fold, key, i))
		SELECT w.i, coalesce(a.id, 0), coalesce(a.dir, FALSE), nextval('entry_ids'), (SELECT count(*) FROM objects WHERE objects.key = w.key) = 0, `+used+", "+optionalColumns+`
		FROM w LEFT JOIN LATERAL (SELECT id, dir FROM entries WHERE id = entry_at($4, w.up)) a ON TRUE
		LEFT JOIN LATERAL (SELECT * FROM entries WHERE parent = a.id AND entries.fold = w.fold FOR UPDATE) e ON TRUE`,
		args...)
	if err != nil || !ok {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		var at spot
		var old node
		if err := rows.Scan(append([]any{&i, &at.parent, &at.dir, &at.id, &at.alive, &at.used}, old.columns()...)...); err != nil {
			return g, err
		}
		if old.ID != 0 {
			old.finish()
			at.old = &old
		}
		all[i-1].spot = at
	}
	return g, rows.Err()
}

// placeGathered waits for the verdicts, and writes what may be written.
func (s *Space) placeGathered(g tables.Gathering, all []*putting) {
	var placing []*putting
	grows := int64(0)
	for i, p := range all {
		err := <-p.verdict
		if err == nil { // The others of this transaction grow too.
			err = s.allow(p.spot.used+grows, p.growth())
		}
		if err != nil {
			g.Release(i)
			p.err = err
			close(p.placed)
			continue
		}
		grows += p.growth()
		placing = append(placing, p)
	}
	if len(placing) == 0 {
		return
	}
	ctx := g.Context(context.Background())
	err := s.db.Change(ctx, false, func(tx tables.Tx) error { return s.putAll(ctx, tx, placing, grows) })
	for _, p := range placing {
		p.err = err
		close(p.placed)
	}
}

// growth returns by how many bytes the files grow.
func (p *putting) growth() int64 {
	if p.spot.old != nil {
		return p.c.Size - p.spot.old.Size
	}
	return p.c.Size
}

// putAll writes the rows of all requests.
func (s *Space) putAll(ctx context.Context, tx tables.Tx, all []*putting, grows int64) error {
	if err := s.insertObjects(ctx, tx, all); err != nil {
		return err
	}
	now := time.Now()
	var fresh, replaced []*putting
	for _, p := range all {
		if p.spot.old == nil {
			fresh = append(fresh, p)
		} else {
			replaced = append(replaced, p)
		}
	}
	if err := s.insertFiles(ctx, tx, fresh, now); err != nil {
		return err
	}
	// The order of objects that several files share must be the same in all transactions.
	slices.SortFunc(replaced, func(a, b *putting) int { return cmp.Compare(a.spot.old.blob, b.spot.old.blob) })
	for _, p := range replaced {
		var err error
		if p.made, err = s.replaceRow(ctx, tx, p.spot, fileOf(p.key, p.c, p.how, now)); err != nil {
			return err
		}
	}
	return s.use(ctx, tx, grows)
}

// insertObjects adds the objects of all requests.
func (s *Space) insertObjects(ctx context.Context, tx tables.Tx, all []*putting) error {
	var (
		keys     []string
		sizes    []int64
		contents [][]byte
	)
	for _, p := range all {
		if p.key == "" {
			continue
		}
		keys, sizes = append(keys, p.key), append(sizes, p.c.Size)
		if inline(p.key) {
			contents = append(contents, p.c.Data)
		} else {
			contents = append(contents, nil)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return tables.Later(ctx, tx, "INSERT INTO objects (key, volume, size, content) SELECT k, $1, s, c FROM unnest($2::TEXT[], $3::BIGINT[], $4::BYTEA[]) AS t(k, s, c)",
		s.id, keys, sizes, contents)
}

// insertFiles adds new files.
func (s *Space) insertFiles(ctx context.Context, tx tables.Tx, all []*putting, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	var (
		ids, parents, sizes, modified, changed []int64
		perms                                  []int32
		reserved                               []bool
		folds                                  []string
		spellings, references                  []*string
		sums                                   [][]byte
		above                                  []int64
	)
	for _, p := range all {
		n := fileOf(p.key, p.c, p.how, now)
		n.ID, n.Parent, n.Name = p.spot.id, p.spot.parent, p.at.name
		n.finishNew()
		p.made = n.Node
		ids, parents, sizes = append(ids, n.ID), append(parents, n.Parent), append(sizes, n.Size)
		modified, changed = append(modified, nanoseconds(n.Modified)), append(changed, nanoseconds(n.Changed))
		perms, reserved = append(perms, int32(n.Perm)), append(reserved, storage.Reserved(p.at.name)) //nolint:gosec // permission bits
		folds, spellings = append(folds, p.at.base()), append(spellings, optional(p.at.spelling()))
		references, sums = append(references, optional(reference(p.key))), append(sums, n.SHA256)
		if !slices.Contains(above, n.Parent) {
			above = append(above, n.Parent)
		}
	}
	err := tables.Later(ctx, tx, `INSERT INTO entries (id, parent, size, modified, changed, created, perm, dir, reserved, fold, name, blob, sha256)
		SELECT id, parent, size, modified, changed, changed, perm, FALSE, reserved, fold, name, blob, sha256
		FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::INTEGER[], $7::BOOLEAN[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::BYTEA[])
			AS t(id, parent, size, modified, changed, perm, reserved, fold, name, blob, sha256)`,
		ids, parents, sizes, modified, changed, perms, reserved, folds, spellings, references, sums)
	if err != nil {
		return err
	}
	return s.touch(ctx, tx, now, above...)
}

// optional returns the text that v is, or nil.
func optional(v any) *string {
	if text, ok := v.(string); ok {
		return &text
	}
	return nil
}
