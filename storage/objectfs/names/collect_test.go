package names_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs/names"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		ctx := t.Context()
		if leads, err := s.Lead(ctx); err != nil || !leads {
			t.Errorf("Lead: %v, %v", leads, err)
		}
		mkdir(t, s, "/a")
		mkdir(t, s, "/a/b")
		put(t, s, "/a/b/f", "text")
		shared := object(t, s, "/a/g", 10)
		single := object(t, s, "/a/b/h", 20)
		if _, err := s.CopyMembers(ctx, "/a", "/", []string{"g"}, "k"); err != nil {
			t.Fatal(err)
		}
		used(t, s, 44)
		var objects []names.Object
		for o, err := range s.Objects(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, o)
		}
		want := []names.Object{{Key: shared, Size: 10, Name: "/k"}, {Key: single, Size: 20, Name: "/a/b/h"}}
		if !reflect.DeepEqual(objects, want) {
			t.Errorf("the objects are %v, want %v", objects, want)
		}
		if err := s.Detach(ctx, "/a", false); err != nil {
			t.Fatal(err)
		}
		used(t, s, 44)
		sweep(t, s)
		used(t, s, 10)
		if got := loose(t, s); !slices.Equal(got, []string{single}) {
			t.Errorf("doomed %q, want %q", got, single)
		}
		if got := loose(t, s); !slices.Equal(got, []string{single}) {
			t.Errorf("doomed %q the second time, want %q", got, single)
		}
		if err := s.Removed(ctx, []string{single, shared}); err != nil {
			t.Fatal(err)
		}
		if got := loose(t, s); len(got) > 0 {
			t.Errorf("doomed %q", got)
		}
		put(t, s, "/k", "")
		if got := loose(t, s); !slices.Equal(got, []string{shared}) {
			t.Errorf("doomed %q, want %q", got, shared)
		}
		used(t, s, 0)
		has(t, s, "/k=")
	})
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		ctx := t.Context()
		epoch, err := s.Epoch()
		if err != nil {
			t.Fatal(err)
		}
		known := object(t, s, "/f", 1)
		keys := []string{"old-1", epoch + "-1", known}
		if got, err := s.Orphans(ctx, keys); err != nil || !slices.Equal(got, []string{"old-1"}) {
			t.Errorf("the orphans are %q (%v)", got, err)
		}
		if got, err := s.Disown(ctx, []string{known, epoch + "-1"}); err != nil || !slices.Equal(got, []string{epoch + "-1"}) {
			t.Errorf("disowned %q (%v)", got, err)
		}
		for _, key := range keys[:2] {
			_, err = s.Put(ctx, "/g", names.Content{Blob: key, Size: 1}, names.Placing{})
			fails(t, err, cluster.ErrFenced)
		}
		if _, err = s.Put(ctx, "/g", names.Content{Blob: "old-1", Size: 1}, names.Placing{Rebuilt: true}); err != nil {
			t.Error(err)
		}
	})
}

// TestObjectsOfCopies: to find a file of each object takes no longer when most files are copies. A
// plan that searches all files for each object would take minutes.
func TestObjectsOfCopies(t *testing.T) {
	t.Parallel()
	const files, copies = 600, 60
	eachDatabase(t, func(t *testing.T, db state) {
		s := space(t, db)
		mkdir(t, s, "/src")
		for i := range files {
			object(t, s, fmt.Sprintf("/src/%d", i), 1)
			object(t, s, fmt.Sprintf("/single %d", i), 1)
		}
		for i := range copies {
			if err := s.Copy(t.Context(), "/src", fmt.Sprintf("/%d", i), false, nil); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		found := 0
		for o, err := range s.Objects(ctx) {
			if err != nil || o.Name == "" {
				t.Fatalf("%+v, %v", o, err)
			}
			found++
		}
		if found != 2*files {
			t.Errorf("%d objects, want %d", found, 2*files)
		}
	})
}
