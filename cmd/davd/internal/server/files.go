package server

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/davd/davd/cmd/davd/internal/forwarded"
	"github.com/davd/davd/cmd/davd/internal/overload"
)

const (
	// ownFiles is how many descriptors the program needs for itself: for the state, the
	// log, the share and the listeners.
	ownFiles = 24
	// maxConnections is the highest number of open connections, even if the process may
	// open more files.
	maxConnections = 16384
	// filesPatience is how long a request waits until others have closed their files.
	filesPatience = 10 * time.Second
)

// filesOf returns how many files a request with this method may have open at a time. COPY and
// MOVE open two collections, two files and the collection that they list. The number of their
// workers is limited for the whole process.
func filesOf(method string) int64 {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return 2
	case http.MethodPut, http.MethodPatch:
		return 4
	}
	return 8
}

// A budget divides the files that the process may open between connections and requests.
type budget struct {
	connections int
	files       int64
}

// newBudget divides limit files. Even with a limit below 64, it allows a few connections and
// a request with any method.
func newBudget(limit uint64) budget {
	free := int64(max(min(limit, 1<<20), ownFiles)) - ownFiles
	connections := max(min(free/2, maxConnections), 8)
	return budget{connections: int(connections), files: max(free-connections, filesOf("COPY"))}
}

const (
	// storageFiles is how many files an open directory of a share needs: for itself, and for
	// the notes about unfinished uploads.
	storageFiles = 3
	// maxStorages is how many storages of users a share keeps open, even if the process may
	// open more files. fewStorages is the least.
	maxStorages = 256
	fewStorages = 4
)

// MaxStorages returns how many storages of users each of shares may keep open while
// they are idle. Together they have a quarter of the files that the process may open.
func MaxStorages(shares int) int {
	all := int(min(fileLimit(), 1<<20)) / 4 / storageFiles
	return min(max(all/max(shares, 1), fewStorages), maxStorages)
}

// withoutStorages returns how many files are left if storages are open.
func withoutStorages(limit uint64, storages int) uint64 {
	return limit - min(limit/2, uint64(max(storages, 0))*storageFiles)
}

// MaxOperations returns how many COPY, MOVE and DELETE operations may run at a time with the
// files that the process may open. An operation whose client no longer waits has no request
// that withFiles counts. It keeps about four files open.
func MaxOperations() int { return int(newBudget(fileLimit()).files / 4) }

// withFiles limits how many requests run at a time, together and of one address, so that the process
// does not run out of files and slow uploads of one client leave some for others. Other requests
// wait, and get a 503 if that takes longer than filesPatience.
func withFiles(next http.Handler, files int64) http.Handler {
	shares := newFileShares(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(filesOf(r.Method), files)
		// While few files are in use, no client has too many.
		counts := shares.used.Add(n) > shares.uncounted
		var own *semaphore.Weighted
		if counts {
			own = shares.of(r.RemoteAddr)
		}
		if counts && !acquire(r.Context(), own, shares.counted, n) {
			shares.used.Add(-n)
			overload.Refuse(w, "the server has too many open files")
			return
		}
		defer func() {
			shares.used.Add(-n)
			if counts {
				shares.counted.Release(n)
				own.Release(n)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// acquire takes n files of both semaphores. It returns false if that takes too long.
func acquire(ctx context.Context, own, all *semaphore.Weighted, n int64) bool {
	if own.TryAcquire(n) {
		if all.TryAcquire(n) {
			return true
		}
		own.Release(n)
	}
	ctx, cancel := context.WithTimeout(ctx, filesPatience)
	defer cancel()
	if own.Acquire(ctx, n) != nil {
		return false
	}
	if all.Acquire(ctx, n) != nil {
		own.Release(n)
		return false
	}
	return true
}

// maxFileShares is how many addresses are remembered.
const maxFileShares = 4096

// fileShares has what each address may use of the files: three quarters, because many clients may
// have the address of a proxy. Up to one eighth of the files is in use without being counted.
type fileShares struct {
	uncounted int64
	// counted has the other files, and most is what one address may use of them.
	counted *semaphore.Weighted
	most    int64
	// used is how many files all requests use, or wait for.
	used atomic.Int64

	mu sync.Mutex
	by map[netip.Addr]*semaphore.Weighted
}

func newFileShares(files int64) *fileShares {
	uncounted := files / 8
	if files-uncounted < filesOf("COPY") {
		uncounted = 0
	}
	return &fileShares{
		uncounted: uncounted, counted: semaphore.NewWeighted(files - uncounted),
		most: max(files*5/8, filesOf("COPY")), by: make(map[netip.Addr]*semaphore.Weighted),
	}
}

// of returns the share of the address. If too many addresses are remembered, those that use no files
// are forgotten.
func (s *fileShares) of(remote string) *semaphore.Weighted {
	client := forwarded.Network(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	if own := s.by[client]; own != nil {
		return own
	}
	if len(s.by) >= maxFileShares {
		for other, own := range s.by {
			if own.TryAcquire(s.most) {
				delete(s.by, other)
				own.Release(s.most) // a request may just have got it
			}
		}
	}
	own := semaphore.NewWeighted(s.most)
	s.by[client] = own
	return own
}
