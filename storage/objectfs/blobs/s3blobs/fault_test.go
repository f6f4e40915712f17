package s3blobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// openFaulty opens a new store behind a proxy.
func openFaulty(tb testing.TB, fault func(*http.Request) s3test.Fault) *s3blobs.Store {
	tb.Helper()
	endpoint, bucket := s3test.Bucket(tb)
	return open(tb, s3blobs.Options{Endpoint: s3test.Proxy(tb, endpoint, fault), Bucket: bucket, Prefix: "p/"})
}

// TestSuiteWithFaults passes the suite while one request in ten fails.
func TestSuiteWithFaults(t *testing.T) {
	seed := sweep.Random(t).Uint64()
	blobstest.Suite{Large: large, Lossy: true, New: func(tb testing.TB) blobs.Store {
		tb.Helper()
		return openFaulty(tb, s3test.Random(seed, 0.1))
	}}.Run(t)
}

// calls are the calls of a store that send requests. Each one may be repeated.
func calls(content []byte, prepared string) map[string]func(t *testing.T, store *s3blobs.Store) error {
	put := func(size int64) func(t *testing.T, store *s3blobs.Store) error {
		return func(t *testing.T, store *s3blobs.Store) error {
			t.Helper()
			key := blobstest.Key()
			if err := blobstest.Put(t.Context(), store, key, content[:size], size, blobs.Meta{Name: "/x"}); err != nil {
				return err
			}
			return wantsContent(t, store, key, 0, content[:size])
		}
	}
	return map[string]func(t *testing.T, store *s3blobs.Store) error{
		"Put, one request": put(1 << 20),
		"Put, parts":       put(int64(len(content))),
		"Open": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			return wantsContent(t, s, prepared, 0, content)
		},
		"Open in the middle": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			return wantsContent(t, s, prepared, 12345, content[12345:])
		},
		"Stat": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			o, err := s.Stat(t.Context(), prepared)
			if err == nil && o.Size != int64(len(content)) {
				err = fmt.Errorf("%+v", o)
			}
			return err
		},
		"Remove": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			key := blobstest.Key()
			err := blobstest.Put(t.Context(), s, key, nil, 0, blobs.Meta{})
			if err = errors.Join(err, s.Remove(t.Context(), []string{key})); err == nil {
				if _, found := s.Stat(t.Context(), key); !errors.Is(found, fs.ErrNotExist) {
					err = fmt.Errorf("it is left: %w", found)
				}
			}
			return err
		},
		"List": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			for o, err := range s.List(t.Context(), "") {
				if err != nil || o.Key == prepared {
					return err
				}
			}
			return errors.New("the object is missing")
		},
		"RemoveUnfinished": func(t *testing.T, s *s3blobs.Store) error {
			t.Helper()
			w, err := s.Create(t.Context(), blobstest.Key(), -1, blobs.Meta{})
			if err == nil {
				_, err = w.Write(content)
			}
			if err != nil {
				return err
			}
			_, err = s.RemoveUnfinished(t.Context(), time.Now().Add(time.Hour), func(string) bool { return false })
			return errors.Join(err, w.Discard())
		},
	}
}

func wantsContent(t *testing.T, store blobs.Store, key string, offset int64, want []byte) error {
	t.Helper()
	got, err := blobstest.Get(t.Context(), store, key, offset)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%d bytes, want %d, equal: %t", len(got), len(want), bytes.Equal(got, want))
	}
	return err
}

// TestEachFault lets each request of each call fail once, in each way. The call succeeds.
func TestEachFault(t *testing.T) {
	var request, at atomic.Int64
	var fault atomic.Value
	store := openFaulty(t, func(*http.Request) s3test.Fault {
		if request.Add(1) == at.Load() {
			f, _ := fault.Load().(s3test.Fault)
			return f
		}
		return s3test.None
	})
	content, prepared := blobstest.Bytes(large+1000), blobstest.Key()
	if err := blobstest.Put(t.Context(), store, prepared, content, -1, blobs.Meta{}); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(content, prepared) {
		t.Run(name, func(t *testing.T) {
			for _, f := range sweep.Sample(t, s3test.Faults(), 3) {
				fault.Store(f)
				for n := int64(1); ; n++ {
					at.Store(n)
					request.Store(0)
					if err := call(t, store); err != nil {
						t.Errorf("request %d: the server %s: %v", n, f, err)
					}
					if request.Load() <= n {
						break // There were no more requests.
					}
				}
			}
		})
	}
}

// always returns a function that lets all requests with this method and query parameter fail.
func always(fault s3test.Fault, method, parameter string) func(*http.Request) s3test.Fault {
	return func(r *http.Request) s3test.Fault {
		if r.Method == method && (parameter == "" && len(r.URL.Query()) <= 1 || parameter != "" && r.URL.Query().Has(parameter)) {
			return fault
		}
		return s3test.None
	}
}

// TestLostAnswers: if the answer that says that an object exists is always lost, Finish looks.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, parameter string
		size                    int
	}{
		{"one request", http.MethodPut, "", 1000},
		{"parts", http.MethodPost, "uploadId", large + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := openFaulty(t, always(s3test.LostAnswer, tt.method, tt.parameter))
			key, content := blobstest.Key(), blobstest.Bytes(tt.size)
			if err := blobstest.Put(t.Context(), store, key, content, -1, blobs.Meta{}); err != nil {
				t.Fatal(err)
			}
			if err := wantsContent(t, store, key, 0, content); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFailedFinish: if an object can't be finished, it does not exist, and neither do its parts.
func TestFailedFinish(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, parameter string
		size                    int
	}{
		{"one request", http.MethodPut, "", 1000},
		{"a part", http.MethodPut, "partNumber", large + 1},
		{"the end of the parts", http.MethodPost, "uploadId", large + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := openFaulty(t, always(s3test.SlowDown, tt.method, tt.parameter))
			key := blobstest.Key()
			err := blobstest.Put(t.Context(), store, key, blobstest.Bytes(tt.size), -1, blobs.Meta{})
			if !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("%v, want storage.ErrUnavailable", err)
			}
			if _, err := store.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, want fs.ErrNotExist", err)
			}
			n, err := store.RemoveUnfinished(t.Context(), time.Now().Add(time.Hour), func(string) bool { return false })
			if n != 0 || err != nil {
				t.Errorf("%d uploads are left, %v", n, err)
			}
		})
	}
}
