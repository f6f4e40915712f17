package pgstate

import (
	"encoding/xml"
	"fmt"
	"sync"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestPropertyUse: two nodes change the same properties at the same time, in different orders. The
// space of each owner is counted rightly, and the database finds no deadlock.
func TestPropertyUse(t *testing.T) {
	dsn := pgtest.Database(t)
	nodes := []*DB{member(t, dsn, Options{}), member(t, dsn, Options{})}
	var workers sync.WaitGroup
	for i := range 8 {
		store := nodes[i%2].Properties()
		workers.Go(func() {
			for round := range 10 {
				ctx := deadprops.WithBudget(t.Context(), deadprops.Budget{Owner: fmt.Sprint("user ", (i+round)%3)})
				props := []webdav.Property{{XMLName: xml.Name{Local: "p"}, InnerXML: make([]byte, i)}, {XMLName: xml.Name{Local: "q"}, InnerXML: make([]byte, round)}}
				if i%3 == 0 {
					props[0], props[1] = props[1], props[0]
				}
				patches := []webdav.Proppatch{{Props: props}, {Remove: i%4 == 0, Props: props[:1]}}
				err := store.Patch(ctx, "/a/x", patches)
				switch {
				case err != nil:
				case round%5 == 3:
					err = store.Move(ctx, "/a", "/b")
				case round%5 == 4:
					err = store.Copy(ctx, "/b", "/a", false)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if n := count(t, nodes[0], "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	const wrong = `SELECT count(*) FROM (SELECT owner, sum(64 + octet_length(space) + octet_length(local) + octet_length(lang) + octet_length(value)) AS bytes
		FROM properties GROUP BY owner) AS counted FULL JOIN property_use USING (owner) WHERE counted.bytes IS DISTINCT FROM property_use.bytes`
	if n := count(t, nodes[0], wrong); n > 0 {
		t.Errorf("the space of %d owners is counted wrongly", n)
	}
}
