package sqlstate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage/lock"
)

// TestLoadLargeOwners: a database that is older than the limit has larger owners. All
// its locks are loaded, with their owners as far as there is room in memory.
func TestLoadLargeOwners(t *testing.T) {
	const large, count = 1 << 20, 20
	db := openNew(t)
	for i := range count {
		if err := db.SaveLock(t.Context(), lock.Lock{
			Token: fmt.Sprint("urn:uuid:", i), Root: fmt.Sprint("/", i), Duration: time.Hour,
			OwnerXML: strings.Repeat("o", large), Expires: time.Now().Add(time.Hour),
		}); err != nil {
			t.Fatal(err)
		}
	}
	locks, err := lock.New(t.Context(), lock.Options{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	found, err := locks.Find(t.Context(), time.Now(), "/", true)
	if err != nil || len(found) != count {
		t.Fatalf("%d locks, want %d; %v", len(found), count, err)
	}
	owners := 0
	for _, l := range found {
		owners += len(l.OwnerXML)
	}
	if owners != lock.DefaultMaxOwners {
		t.Errorf("their owners have %d bytes, want %d", owners, lock.DefaultMaxOwners)
	}
	if _, err := locks.Acquire(t.Context(), time.Now(), lock.Lock{Root: "/new", Duration: time.Hour}); err != nil {
		t.Error(err)
	}
}
