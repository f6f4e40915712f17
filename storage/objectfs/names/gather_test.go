package names_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/objectfs/names/namestest"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// crowd are requests that put files at the same time.
type crowd struct {
	t  *testing.T
	db state
	s  *names.Space
}

func newCrowd(t *testing.T) crowd {
	t.Helper()
	db := openPostgreSQL(t, pgtest.Database(t))
	return crowd{t, db, space(t, db)}
}

// late returns a late claim of a name, with the context of its transaction.
func (c crowd) late(name string) (cluster.Claim, context.Context) {
	claim, err := cluster.Of(c.db).Claim(c.t.Context(), cluster.Work{Scopes: []cluster.Scope{{Name: name}}, Brief: true, Late: true})
	if err != nil {
		c.t.Error(err)
		return nil, nil
	}
	ctx, err := claim.Transaction(c.t.Context())
	if err != nil {
		c.t.Error(err)
	}
	return claim, ctx
}

// put puts content as a request does. The error is that of Put or of End.
func (c crowd) put(name, content string, how names.Placing) error {
	claim, ctx := c.late(name)
	_, err := c.s.Put(ctx, name, names.Content{Data: []byte(content), Size: int64(len(content))}, how)
	if err != nil {
		claim.Undo(ctx)
	}
	return errors.Join(err, claim.End(c.t.Context(), nil))
}

// all calls do n times at the same time.
func (c crowd) all(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
	namestest.Consistent(c.t, c.db)
}

// commits returns how many transactions were committed.
func (c crowd) commits() (n int) {
	c.t.Helper()
	err := tables.Each(c.t.Context(), c.db.Base().Reader(), func(rows tables.Rows) error { return rows.Scan(&n) }, "SELECT count(*) FROM commits")
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// gathered is how many requests a test sends at the same time.
const gathered = 100

// TestGather: requests at the same time share transactions. All of them get what they would get alone.
func TestGather(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	mkdir(t, c.s, "/a")
	mkdir(t, c.s, "/a/b")
	put(t, c.s, "/a/file", "x")
	dirs := []string{"", "/a", "/a/b"}
	name := func(i int) string { return fmt.Sprintf("%s/f%d", dirs[i%3], i) }
	for round := range 2 {
		before := c.commits()
		c.all(gathered, func(i int) {
			claim, ctx := c.late(name(i))
			content := fmt.Sprintf("%d of %d", i, round)
			made, err := c.s.Put(ctx, name(i), names.Content{Data: []byte(content), Size: int64(len(content)), SHA256: []byte("sum")}, names.Placing{Perm: 0o640, Create: round == 0})
			if err = errors.Join(err, claim.End(t.Context(), nil)); err != nil {
				t.Error(err)
				return
			}
			found, got, err := c.s.Open(t.Context(), name(i))
			if err != nil || string(got) != content {
				t.Errorf("%s: %q, %v", name(i), got, err)
			}
			found.Created, made.Created = made.Created, found.Created
			if fmt.Sprint(found) != fmt.Sprint(made) {
				t.Errorf("%s is %+v, but Put said %+v", name(i), found, made)
			}
		})
		if n := c.commits() - before; n >= gathered/2 {
			t.Errorf("%d transactions for %d files", n, gathered)
		}
	}
	members, err := c.s.Members(t.Context(), c.s.Root(), "", 1000)
	if err != nil || len(members) != gathered/3+2 {
		t.Errorf("%d members, %v", len(members), err)
	}
}

// TestGatherRefused: a request that is refused, or panics, leaves the others of its transaction alone.
func TestGatherRefused(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	mkdir(t, c.s, "/a")
	put(t, c.s, "/file", "x")
	reason := errors.New("refused")
	requests := []struct {
		name  string
		how   names.Placing
		wants error
	}{
		{"/f%d", names.Placing{}, nil},
		{"/f%d", names.Placing{Check: func(context.Context, *names.Node) error { return reason }}, reason},
		{"/a/%d", names.Placing{Create: true}, nil},
		{"/file/%d", names.Placing{}, fs.ErrNotExist},
		{"/missing/%d", names.Placing{}, fs.ErrNotExist},
		{"/f%d", names.Placing{Check: func(context.Context, *names.Node) error { panic(reason) }}, reason},
	}
	c.all(gathered, func(i int) {
		r := requests[i%len(requests)]
		name := fmt.Sprintf(r.name, i)
		claim, ctx := c.late(name)
		_, err := func() (_ names.Node, err error) {
			defer func() {
				if thrown, ok := recover().(error); ok {
					err = thrown
				}
			}()
			return c.s.Put(ctx, name, names.Content{Data: []byte("x"), Size: 1}, r.how)
		}()
		if !errors.Is(err, r.wants) || (err == nil) != (r.wants == nil) {
			t.Errorf("%s: %v, want %v", name, err, r.wants)
		}
		if err != nil {
			claim.Undo(ctx)
		}
		if err := claim.End(t.Context(), nil); err != nil {
			t.Errorf("%s: the end: %v", name, err)
		}
		if _, err := c.s.Find(t.Context(), name); (err == nil) != (r.wants == nil) {
			t.Errorf("%s afterwards: %v", name, err)
		}
	})
	fails(t, c.put("/a", "x", names.Placing{}), syscall.EISDIR)
	fails(t, c.put("/file", "x", names.Placing{Create: true}), fs.ErrExist)
}

// TestGatherQuota: requests of one transaction don't exceed a quota together.
func TestGatherQuota(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	const most = 10
	c.s.SetLimit(most * 3)
	var mu sync.Mutex
	made := 0
	c.all(gathered, func(i int) {
		err := c.put(fmt.Sprintf("/f%d", i), "abc", names.Placing{})
		switch {
		case err == nil:
			mu.Lock()
			defer mu.Unlock()
			made++
		case !errors.Is(err, syscall.EDQUOT):
			t.Error(err)
		}
	})
	// Two transactions at the same moment can exceed it, as single requests can.
	if used, err := c.s.Usage(t.Context()); err != nil || made < most || used != int64(made)*3 {
		t.Errorf("%d files, %d bytes, %v", made, used, err)
	}
}

// TestGatherBesideLock: while something is at one of the names, all are put alone.
func TestGatherBesideClaim(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	held, err := cluster.Of(c.db).Claim(t.Context(), cluster.Work{Scopes: []cluster.Scope{{Name: "/f7"}}})
	if err != nil {
		t.Fatal(err)
	}
	c.all(gathered, func(i int) {
		err := c.put(fmt.Sprintf("/f%d", i), "x", names.Placing{})
		if i == 7 && !errors.Is(err, cluster.ErrClaimed) || i != 7 && err != nil {
			t.Errorf("/f%d: %v", i, err)
		}
	})
	if err := held.End(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
