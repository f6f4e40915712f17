package s3blobs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// TestMemoryShared: many uploads to two stores with little memory in common all end, also those
// whose size is unknown.
func TestMemoryShared(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	memory := s3blobs.NewMemory(20<<20, s3blobs.DefaultSpool)
	stores := []*s3blobs.Store{
		open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Prefix: "a/", Memory: memory}),
		open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Prefix: "b/", Memory: memory}),
	}
	content := blobstest.Bytes(large + 5<<20)
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			store, key, size := stores[i%2], blobstest.Key(), int64(len(content))
			if i%3 == 0 {
				size = -1
			}
			if err := blobstest.Put(t.Context(), store, key, content, size, blobs.Meta{}); err != nil {
				t.Error(err)
				return
			}
			wants(t, store, key, content)
		})
	}
	group.Wait()
}

// TestMemoryReturned: what a writer holds is free again however it ends, and until then another
// writer waits.
func TestMemoryReturned(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	store := open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Memory: s3blobs.NewMemory(10<<20, 0)})
	for _, size := range []int64{-1, 9 << 20, large + 1} {
		holder, err := store.Create(t.Context(), blobstest.Key(), size, blobs.Meta{})
		if err == nil {
			_, err = holder.Write([]byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
		waiting, cancel := context.WithCancel(t.Context())
		w, err := store.Create(waiting, blobstest.Key(), 3<<20, blobs.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := w.Write(make([]byte, 1))
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("size %d: the second writer did not wait: %v", size, err)
		}
		if err := errors.Join(w.Discard(), holder.Discard()); err != nil {
			t.Error(err)
		}
		if err := blobstest.Put(t.Context(), store, blobstest.Key(), make([]byte, 10<<20), 10<<20, blobs.Meta{}); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// TestSlowUploads: slow uploads hold all memory, and others end all the same, with their parts in
// temporary files. Then the slow ones go on.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	store := open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Memory: s3blobs.NewMemory(24<<20, 64<<20)})
	content := blobstest.Bytes(large + 5<<20)
	slow, sizes := map[string]blobs.Writer{}, map[string]int{}
	for _, size := range []int{9 << 20, len(content), len(content)} {
		key := blobstest.Key()
		w, err := store.Create(t.Context(), key, int64(size), blobs.Meta{})
		if err == nil {
			_, err = w.Write(content[:1])
		}
		if err != nil {
			t.Fatal(err)
		}
		slow[key], sizes[key] = w, size
	}
	var others sync.WaitGroup
	for _, size := range []int{-1, 10 << 20, len(content)} {
		others.Go(func() {
			content, key := content, blobstest.Key()
			if size > 0 {
				content = content[:size]
			}
			if err := blobstest.Put(t.Context(), store, key, content, int64(size), blobs.Meta{}); err != nil {
				t.Error(err)
				return
			}
			wants(t, store, key, content)
		})
	}
	others.Wait()
	for key, w := range slow {
		if _, err := w.Write(content[1:sizes[key]]); err != nil {
			t.Error(err)
		}
		if err := w.Finish(t.Context()); err != nil {
			t.Error(err)
		}
		wants(t, store, key, content[:sizes[key]])
	}
}

// TestNoMemory: an upload that gets neither memory nor room in temporary files gives up after half a
// minute, and says that the client may try again.
func TestNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, s3blobs.Options{Endpoint: "http://127.0.0.1:1", Bucket: "none", Memory: s3blobs.NewMemory(8<<20, 10)})
		create := func() blobs.Writer {
			w, err := store.Create(t.Context(), blobstest.Key(), 8<<20, blobs.Meta{})
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		var held []blobs.Writer
		for _, bytes := range []int{1, 20} { // in memory, in a file
			w := create()
			if _, err := w.Write(make([]byte, bytes)); err != nil {
				t.Fatal(err)
			}
			held = append(held, w)
		}
		began := time.Now()
		w := create()
		if _, err := w.Write(make([]byte, 1)); !errors.Is(err, storage.ErrUnavailable) || time.Since(began) != 31*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		for _, w := range held {
			if err := w.Discard(); err != nil {
				t.Error(err)
			}
			again := create()
			if _, err := again.Write(make([]byte, 20)); err != nil {
				t.Error(err)
			}
			if err := again.Discard(); err != nil {
				t.Error(err)
			}
		}
	})
}

func wants(t *testing.T, store *s3blobs.Store, key string, want []byte) {
	t.Helper()
	r, err := store.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
