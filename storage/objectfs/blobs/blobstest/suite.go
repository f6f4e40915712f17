// Package blobstest checks implementations of blobs.Store.
package blobstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// Suite checks stores.
type Suite struct {
	// New returns an empty store, which may be shared with other tests only if it hides their
	// objects.
	New func(tb testing.TB) blobs.Store
	// Large is a size above which the store writes an object in several parts, in bytes.
	Large int
	// Lossy says that answers get lost, so that unfinished objects may be left.
	Lossy bool
}

// Run runs all tests of the suite.
func (s Suite) Run(t *testing.T) {
	for name, test := range map[string]func(*testing.T, blobs.Store){
		"content":         s.content,
		"meta":            meta,
		"long name":       longName,
		"offsets":         s.offsets,
		"missing":         missing,
		"discard":         s.discard,
		"wrong size":      s.wrongSize,
		"remove":          remove,
		"list":            list,
		"unfinished":      s.unfinished,
		"bad keys":        badKeys,
		"concurrent":      s.concurrent,
		"canceled create": canceled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s.New(t))
		})
	}
}

// Bytes returns size random bytes.
func Bytes(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.Read(content) // It can't fail.
	return content
}

// Key returns a new key, of an epoch of its own.
func Key() string {
	text := strings.ToLower(rand.Text())
	return text[:8] + "-" + text[8:]
}

// Put writes an object, with size as the size that Create is told.
func Put(ctx context.Context, store blobs.Store, key string, content []byte, size int64, meta blobs.Meta) error {
	w, err := store.Create(ctx, key, size, meta)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, onlyReader{bytes.NewReader(content)}); err != nil {
		return errors.Join(err, w.Discard())
	}
	if err := w.Finish(ctx); err != nil {
		return errors.Join(err, w.Discard())
	}
	return w.Discard()
}

// onlyReader hides methods other than Read, so that the writer gets several pieces.
type onlyReader struct{ io.Reader }

// Get reads an object from offset to its end.
func Get(ctx context.Context, store blobs.Store, key string, offset int64) ([]byte, error) {
	r, err := store.Open(ctx, key, offset, -1)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	return content, errors.Join(err, r.Close())
}

func put(t *testing.T, store blobs.Store, key string, content []byte, size int64, meta blobs.Meta) {
	t.Helper()
	if err := Put(t.Context(), store, key, content, size, meta); err != nil {
		t.Fatalf("writing an object of %d bytes: %v", len(content), err)
	}
}

func wants(t *testing.T, store blobs.Store, key string, offset int64, want []byte) {
	t.Helper()
	got, err := Get(t.Context(), store, key, offset)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("an object from %d: %d bytes, %v; want %d bytes, equal: %t", offset, len(got), err, len(want), bytes.Equal(got, want))
	}
}

// wantsRange checks what a part of an object has.
func wantsRange(t *testing.T, store blobs.Store, key string, offset, length int64, want []byte) {
	t.Helper()
	r, err := store.Open(t.Context(), key, offset, length)
	if err != nil {
		t.Error(err)
		return
	}
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes from %d: got %d, %v, equal: %t", length, offset, len(got), err, bytes.Equal(got, want))
	}
}

// wantsMissing checks that an object exists neither by its key nor in a list.
func wantsMissing(t *testing.T, store blobs.Store, key string) {
	t.Helper()
	if _, err := store.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: %v, want fs.ErrNotExist", err)
	}
	if _, err := store.Open(t.Context(), key, 0, -1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: %v, want fs.ErrNotExist", err)
	}
	if slices.Contains(keys(t, store, ""), key) {
		t.Error("List has the object")
	}
}

// keys lists the keys after a key.
func keys(t *testing.T, store blobs.Store, after string) (found []string) {
	t.Helper()
	for object, err := range store.List(t.Context(), after) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, object.Key)
	}
	return found
}

func (s Suite) sizes() []int { return []int{0, 1, 4096, 100_000, s.Large, s.Large + 1, 2*s.Large + 77} }

func (s Suite) content(t *testing.T, store blobs.Store) {
	for _, size := range s.sizes() {
		for _, told := range []int64{int64(size), -1} {
			key, content := Key(), Bytes(size)
			put(t, store, key, content, told, blobs.Meta{})
			wants(t, store, key, 0, content)
			if o, err := store.Stat(t.Context(), key); err != nil || o.Size != int64(size) || o.Key != key {
				t.Errorf("%d bytes: Stat returns %+v, %v", size, o, err)
			}
		}
	}
}

func (s Suite) offsets(t *testing.T, store blobs.Store) {
	key, content := Key(), Bytes(s.Large+100)
	put(t, store, key, content, int64(len(content)), blobs.Meta{})
	for _, offset := range []int{1, 4095, 4096, s.Large - 1, s.Large, s.Large + 99, s.Large + 100} {
		wants(t, store, key, int64(offset), content[offset:])
		for _, length := range []int{0, 1, 5000} {
			wantsRange(t, store, key, int64(offset), int64(length), content[offset:min(offset+length, len(content))])
		}
	}
}

func missing(t *testing.T, store blobs.Store) {
	wantsMissing(t, store, Key())
	if err := store.Remove(t.Context(), []string{Key(), Key()}); err != nil {
		t.Errorf("removing missing objects: %v", err)
	}
	if err := store.Remove(t.Context(), nil); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

func (s Suite) discard(t *testing.T, store blobs.Store) {
	for _, size := range s.sizes() {
		key := Key()
		w, err := store.Create(t.Context(), key, -1, blobs.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(Bytes(size)); err != nil {
			t.Fatal(err)
		}
		wantsMissing(t, store, key)
		for range 2 {
			if err := w.Discard(); err != nil {
				t.Errorf("%d bytes: Discard: %v", size, err)
			}
		}
		wantsMissing(t, store, key)
		if err := w.Finish(t.Context()); err == nil {
			t.Error("Finish after Discard: no error")
		}
		wantsMissing(t, store, key)
	}
	s.wantsNothingUnfinished(t, store)
}

func (s Suite) wantsNothingUnfinished(t *testing.T, store blobs.Store) {
	t.Helper()
	n, err := store.RemoveUnfinished(t.Context(), time.Now().Add(time.Hour), func(string) bool { return false })
	if err != nil || n != 0 && !s.Lossy {
		t.Errorf("RemoveUnfinished: %d, %v, want 0", n, err)
	}
}

func (s Suite) wrongSize(t *testing.T, store blobs.Store) {
	for _, size := range []int{10, s.Large + 10} {
		for _, told := range []int64{0, int64(size) - 1, int64(size) + 1} {
			key := Key()
			if err := Put(t.Context(), store, key, Bytes(size), told, blobs.Meta{}); err == nil {
				t.Errorf("%d bytes instead of %d: no error", size, told)
			}
			wantsMissing(t, store, key)
		}
	}
	s.wantsNothingUnfinished(t, store)
}

func remove(t *testing.T, store blobs.Store) {
	var all []string
	for range 5 {
		key := Key()
		put(t, store, key, Bytes(10), 10, blobs.Meta{})
		all = append(all, key)
	}
	slices.Sort(all)
	if err := store.Remove(t.Context(), []string{all[3], Key(), all[1]}); err != nil {
		t.Fatal(err)
	}
	wantsMissing(t, store, all[1])
	wantsMissing(t, store, all[3])
	if got, want := keys(t, store, ""), []string{all[0], all[2], all[4]}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// A directory that became empty can be used again.
	put(t, store, all[1], []byte("again"), 5, blobs.Meta{})
	wants(t, store, all[1], 0, []byte("again"))
}

func list(t *testing.T, store blobs.Store) {
	if got := keys(t, store, ""); len(got) > 0 {
		t.Errorf("an empty store lists %v", got)
	}
	want := []string{
		"5-aa", "5-aaa", "5-ab", "5-b", "50-a", "50-a-b", "500-x", "6-0", "6-9z", "7", "9-zz", "9-zzz",
		"A-1", "Z-1", "a-0", "ab-0", strings.Repeat("m", 64) + "-" + strings.Repeat("n", 63),
	}
	for i, key := range slices.Backward(want) {
		put(t, store, key, Bytes(i), int64(i), blobs.Meta{Name: "/x"})
	}
	if got := keys(t, store, ""); !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	for i, key := range want {
		if got := keys(t, store, key); !slices.Equal(got, want[i+1:]) {
			t.Errorf("after %s: %v\nwant %v", key, got, want[i+1:])
		}
	}
	if got := keys(t, store, "5-az"); !slices.Equal(got, want[3:]) {
		t.Errorf("after a missing key: %v\nwant %v", got, want[3:])
	}
	i := 0
	for object, err := range store.List(t.Context(), "") {
		if err != nil || object.Size != int64(i) || time.Since(object.Modified).Abs() > 10*time.Minute {
			t.Errorf("%+v, %v, want %d bytes", object, err, i)
		}
		if i++; i == 3 {
			break // The caller may stop.
		}
	}
}

func (s Suite) unfinished(t *testing.T, store blobs.Store) {
	var open []blobs.Writer
	var begun []string
	for range 3 {
		key := Key()
		w, err := store.Create(t.Context(), key, -1, blobs.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(Bytes(3 * s.Large)); err != nil {
			t.Fatal(err)
		}
		open, begun = append(open, w), append(begun, key)
	}
	never := func(string) bool { return false }
	if n, err := store.RemoveUnfinished(t.Context(), time.Now().Add(-time.Hour), never); err != nil || n != 0 {
		t.Errorf("RemoveUnfinished removes %d new objects, %v", n, err)
	}
	n, err := store.RemoveUnfinished(t.Context(), time.Now().Add(time.Hour), func(key string) bool { return key == begun[1] })
	if err != nil || n != 2 && !s.Lossy {
		t.Errorf("RemoveUnfinished: %d, %v, want 2", n, err)
	}
	for i, w := range open {
		if err := w.Finish(t.Context()); (err == nil) != (i == 1) {
			t.Errorf("object %d: Finish returns %v", i, err)
		}
		if err := w.Discard(); err != nil {
			t.Errorf("object %d: Discard: %v", i, err)
		}
	}
	if got := keys(t, store, ""); !slices.Equal(got, begun[1:2]) {
		t.Errorf("%v, want %v", got, begun[1:2])
	}
}

func badKeys(t *testing.T, store blobs.Store) {
	for _, key := range []string{"", ".", "..", "a/b", "a b", "ä", "a\x00", "a.b", `a\b`, "a%2fb", strings.Repeat("x", 129)} {
		if err := Put(t.Context(), store, key, nil, 0, blobs.Meta{}); err == nil {
			t.Errorf("%q can be written", key)
		}
		if _, err := store.Open(t.Context(), key, 0, -1); err == nil {
			t.Errorf("%q can be opened", key)
		}
		if err := store.Remove(t.Context(), []string{key}); err == nil {
			t.Errorf("%q can be removed", key)
		}
	}
}

func (s Suite) concurrent(t *testing.T, store blobs.Store) {
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			size := 1000 * i
			if i%4 == 0 {
				size += s.Large
			}
			key, content := Key(), Bytes(size)
			err := Put(t.Context(), store, key, content, -1, blobs.Meta{Name: fmt.Sprint("/", i)})
			if err != nil {
				t.Error(err)
				return
			}
			wants(t, store, key, 0, content)
			if i%2 == 0 {
				err = store.Remove(t.Context(), []string{key})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := keys(t, store, ""); len(got) != 8 {
		t.Errorf("%d objects, want 8", len(got))
	}
}

func canceled(t *testing.T, store blobs.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	key := Key()
	if err := Put(ctx, store, key, Bytes(10), 10, blobs.Meta{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	wantsMissing(t, store, key)
}
