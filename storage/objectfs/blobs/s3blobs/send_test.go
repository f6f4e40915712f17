package s3blobs_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// TestSendTo sends ranges of an object through an HTTP server, also while the connections to S3 break.
func TestSendTo(t *testing.T) {
	endpoint, bucket := s3test.Bucket(t)
	var cut atomic.Int64 // how many answers of S3 are still to be cut
	endpoint = s3test.Proxy(t, endpoint, func(r *http.Request) s3test.Fault {
		if r.Method == http.MethodGet && cut.Add(-1) >= 0 {
			return s3test.CutAnswer
		}
		return s3test.None
	})
	store := open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket})
	content := make([]byte, 9<<20)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	key := blobstest.Key()
	if err := blobstest.Put(t.Context(), store, key, content, int64(len(content)), blobs.Meta{}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.ParseInt(r.FormValue("offset"), 10, 64)
		n, _ := strconv.ParseInt(r.FormValue("n"), 10, 64)
		stream, err := store.Open(r.Context(), key, offset, n)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer stream.Close()
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		// Two calls: the second one goes on after the first.
		half := n / 2
		if sent, err := storage.SendTo(w, stream, half); err != nil || sent != half {
			t.Errorf("first half: %d of %d bytes, %v", sent, half, err)
			return
		}
		if sent, err := storage.SendTo(w, stream, n-half); err != nil || sent != n-half {
			t.Errorf("second half: %d of %d bytes, %v", sent, n-half, err)
		}
	}))
	defer server.Close()
	whole := int64(len(content))
	for _, tt := range []struct{ offset, n, cut int64 }{
		{0, whole, 0},
		{0, whole, 1},
		{0, whole, 2},
		{1, whole - 1, 0},
		{1 << 20, 4 << 20, 1},
		{whole - 10, 10, 0},
		{0, 0, 0},
	} {
		t.Run(fmt.Sprintf("%d bytes from %d, cut %d", tt.n, tt.offset, tt.cut), func(t *testing.T) {
			cut.Store(tt.cut)
			response, err := http.Get(fmt.Sprintf("%s?offset=%d&n=%d", server.URL, tt.offset, tt.n))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, content[tt.offset:tt.offset+tt.n]) {
				t.Errorf("got %d other bytes", len(got))
			}
		})
	}
}
