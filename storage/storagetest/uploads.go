package storagetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/davd/davd/storage/uploads"
)

// RunUploads tests an uploads.Store, which is empty. reopen, if not nil, returns the Store as another
// process would find it.
func RunUploads(t *testing.T, store uploads.Store, reopen func() uploads.Store) {
	t.Helper()
	expires := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	sessions := []uploads.Session{
		{ID: "a", Length: -1, Expires: expires},
		{
			ID: "b", Owner: "ann\x00\xff%", Client: "user ann", Asked: "/link/\xff", Name: "/dir/\xff", Stage: ".davd-upload-b",
			Header: map[string][]string{"If": {"(<urn:x>)", "\xff"}}, Offset: 1 << 40, Length: 1 << 41, Placing: true, Expires: expires,
		},
	}
	want := func(want ...uploads.Session) {
		t.Helper()
		got, err := store.AllUploads(t.Context())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the sessions are %+v, %v\nwant %+v", got, err, want)
		}
	}
	for _, s := range []uploads.Session{sessions[1], sessions[0]} {
		if err := store.SaveUpload(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	want(sessions...)
	sessions[0].Offset, sessions[0].Complete = 7, true
	if err := store.SaveUpload(t.Context(), sessions[0]); err != nil {
		t.Fatal(err)
	}
	if reopen != nil {
		store = reopen()
	}
	want(sessions...)
	for range 2 {
		if err := store.DeleteUpload(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	want(sessions[1])
}
