package blobstest

import (
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
)

func meta(t *testing.T, store blobs.Store) {
	at := time.Date(2001, 2, 3, 4, 5, 6, 789_012_345, time.UTC)
	for _, want := range []blobs.Meta{
		{},
		{Volume: "4711", Name: "/a.txt", Modified: at},
		{Volume: "v-1", Name: "/Grüße/日本語/😀/e\u0301.txt", Modified: at.In(time.FixedZone("", 3600))},
		{Volume: "v", Name: "/ leading/trailing /100%/a+b=c;d,e\"f'g\\h?i#j&k|l<m>\u00a0 "},
		{Volume: "v", Name: "/control\x01\x1f\x7f\r\n\t/=?utf-8?q?x?="},
		{Volume: "v", Name: "/early", Modified: time.Date(1601, 1, 1, 0, 0, 0, 1, time.UTC)},
		{Volume: "v", Name: "/late", Modified: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)},
	} {
		key := Key()
		put(t, store, key, []byte("x"), 1, want)
		got, err := store.Stat(t.Context(), key)
		if err != nil || got.Meta.Volume != want.Volume || got.Meta.Name != want.Name || !got.Meta.Modified.Equal(want.Modified) ||
			got.Meta.Modified.IsZero() != want.Modified.IsZero() {
			t.Errorf("%+q, %v\nwant %+q", got.Meta, err, want)
		}
	}
}

func longName(t *testing.T, store blobs.Store) {
	for _, segment := range []string{"directory", "日本語日本語日本語", "\x01\x02<>&"} {
		name := strings.Repeat("/"+segment, 1000) + "/name.txt"
		key := Key()
		put(t, store, key, []byte("x"), 1, blobs.Meta{Volume: "v", Name: name, Modified: time.Now()})
		got, err := store.Stat(t.Context(), key)
		rest, short := strings.CutPrefix(got.Meta.Name, "/…/")
		if err != nil || !short || !strings.HasSuffix(name, "/"+rest) || len(rest) < 200 {
			t.Errorf("%q, %v", got.Meta.Name, err)
		}
	}
	for _, segment := range []string{strings.Repeat("ä", 127), strings.Repeat("日", 85), strings.Repeat("x", 255)} {
		key, name := Key(), "/"+segment
		put(t, store, key, []byte("x"), 1, blobs.Meta{Volume: strings.Repeat("v", 64), Name: name, Modified: time.Now()})
		if got, err := store.Stat(t.Context(), key); err != nil || got.Meta.Name != name {
			t.Errorf("%q, %v, want %q", got.Meta.Name, err, name)
		}
	}
}
