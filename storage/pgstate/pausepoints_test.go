package pgstate

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// pausing is the key of a *pauser in a context.
type pausing struct{}

// pauser pauses the calls of a context once, before or after a round trip.
type pauser struct {
	at             int // which moment
	moments        int
	where          string
	paused, resume chan struct{}
}

func pauseHere(ctx context.Context, statement string, done bool) {
	p, ok := ctx.Value(pausing{}).(*pauser)
	if !ok {
		return
	}
	if p.moments++; p.moments == p.at {
		p.where = fmt.Sprintf("%.40s, done %v", statement, done)
		close(p.paused)
		<-p.resume
	}
}

// changes is what a node does in TestPausePoints. Each field is the error of a call, or errSkipped.
type changes struct {
	claim, record, lock, property, end error

	id, token string
}

var errSkipped = errors.New("not called")

// make makes all changes of name, until one fails.
func (c *changes) make(ctx context.Context, db *DB, name string) {
	*c = changes{errSkipped, errSkipped, errSkipped, errSkipped, errSkipped, "", ""}
	r := history.Record{ID: "of" + name, Method: "COPY", Source: name, State: history.Running}
	w := tree(name)
	w.Operation = &cluster.Operation{Record: r}
	var made cluster.Claim
	if made, c.claim = db.Cluster().Claim(ctx, w); c.claim != nil {
		return
	}
	c.id = made.ID()
	if c.record = db.Journal().SaveRecord(ctx, c.id, []byte("record")); c.record == nil {
		var l lock.Lock
		l, c.lock = db.Locks().Acquire(ctx, time.Now(), lock.Lock{Root: name, Duration: time.Hour})
		c.token = l.Token
	}
	if c.lock == nil {
		c.property = db.Properties().Patch(ctx, name, []webdav.Proppatch{{Props: []webdav.Property{{XMLName: xml.Name{Local: "p"}}}}})
	}
	r.State, r.Ended = history.Finished, time.Now()
	c.end = made.End(ctx, &cluster.Result{Record: r})
}

// check compares what was acknowledged with the database.
func (c *changes) check(t *testing.T, db *DB, epoch, name string) {
	t.Helper()
	if locks, err := db.Locks().Find(t.Context(), time.Now(), name, false); err != nil ||
		c.lock == nil && (len(locks) != 1 || locks[0].Token != c.token) || len(locks) > 1 {
		t.Errorf("Acquire returned %v, there are %+v, %v", c.lock, locks, err)
	}
	found, _, err := db.Properties().Read(t.Context(), deadprops.Query{Names: []string{name}})
	if err != nil || c.property == nil && len(found[name]) != 1 {
		t.Errorf("Patch returned %v, there are %+v, %v", c.property, found, err)
	}
	outcomes := count(t, db, "SELECT count(*) FROM commits WHERE id = $1 AND outcome = 'finished' AND epoch = $2", c.id, epoch)
	taken, _ := errors.AsType[*cluster.TakenOverError](c.end)
	undone := count(t, db, "SELECT count(*) FROM commits WHERE id = $1 AND outcome = 'undone' AND epoch <> $2", c.id, epoch)
	switch {
	case c.claim == nil && c.end == nil && outcomes == 1:
	case c.claim == nil && taken != nil && taken.Outcome == cluster.Undone && undone == 1:
	case errors.Is(c.claim, cluster.ErrFenced):
	default:
		t.Errorf("Claim: %v; End: %v; finished: %d; undone: %d", c.claim, c.end, outcomes, undone)
	}
	for _, err := range []error{c.claim, c.record, c.lock, c.property, c.end} {
		if err != nil && !errors.Is(err, errSkipped) && !errors.Is(err, cluster.ErrFenced) {
			t.Errorf("error %v, want ErrFenced", err)
		}
	}
}

// TestPausePoints: a node is paused before and after each round trip, declared dead, and resumed
// after another node has undone its work. It changes nothing afterwards, and what it acknowledges
// is true.
func TestPausePoints(t *testing.T) {
	dsn := pgtest.Database(t)
	by := open(t, dsn, Options{Name: "by"})
	run(t, by, undo(t, nil))
	moments := 0
	for at := 1; ; at++ {
		over := false
		if !t.Run(strconv.Itoa(at), func(t *testing.T) { over = pauseAt(t, dsn, by, at) }) {
			return
		}
		if over {
			break
		}
		moments++
	}
	if moments < 20 {
		t.Errorf("only %d moments were tried", moments)
	}
}

// pauseAt is TestPausePoints for one moment. It returns true if there are fewer.
func pauseAt(t *testing.T, dsn string, by *DB, at int) (over bool) {
	t.Helper()
	timing := quick()
	timing.Idle = 200 * time.Millisecond
	timing.Renew = time.Hour // The whole process is paused.
	db := open(t, dsn, Options{Name: "paused", Timing: timing, hook: pauseHere})
	run(t, db, nil)
	epoch, name := db.Cluster().Epoch(), fmt.Sprint("/", at)
	p := &pauser{at: at, paused: make(chan struct{}), resume: make(chan struct{})}
	ctx := context.WithValue(t.Context(), pausing{}, p)
	var c changes
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.make(ctx, db, name)
	}()
	select {
	case <-done:
		c.check(t, by, epoch, name)
		return true
	case <-p.paused:
	}
	declare(t, db, by)
	eventually(t, "the work is settled", func() bool { return count(t, by, "SELECT count(*) FROM work") == 0 })
	claim := claimed(t, by, tree(name))
	before := content(t, by)
	close(p.resume)
	<-done
	if after := content(t, by); before != after {
		t.Errorf("%s: the dead node has changed\n%s\nto\n%s", p.where, before, after)
	}
	c.check(t, by, epoch, name)
	end(t, claim)
	return false
}

// content returns all rows that a dead node must not change.
func content(t *testing.T, db *DB) (all string) {
	t.Helper()
	err := db.read(t.Context(), func(rows pgx.Rows) error { return rows.Scan(&all) }, `SELECT concat_ws(E'\n',
		(SELECT string_agg(work::TEXT, E'\n' ORDER BY id) FROM work), (SELECT string_agg(claims::TEXT, E'\n' ORDER BY work, name) FROM claims),
		(SELECT string_agg(locks::TEXT, E'\n' ORDER BY token) FROM locks), (SELECT string_agg(operations::TEXT, E'\n' ORDER BY id) FROM operations),
		(SELECT string_agg(properties::TEXT, E'\n' ORDER BY name, space, local) FROM properties),
		(SELECT string_agg(commits::TEXT, E'\n' ORDER BY id) FROM commits WHERE outcome IS NOT NULL))`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
