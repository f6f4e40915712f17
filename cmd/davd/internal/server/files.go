package server

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// ownFiles is how many descriptors the program needs for itself: the state, the
	// log, the share, the listeners.
	ownFiles = 24
	// maxConnections is how many connections are open at most, however many files the
	// process may open.
	maxConnections = 16384
	// filesPatience is how long a request waits for others to close their files.
	filesPatience = 10 * time.Second
)

// filesOf is how many files the request of a method may have open at a time. COPY and
// MOVE have two collections, two files and a collection that is listed; their workers
// are bounded for the process.
func filesOf(method string) int64 {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return 2
	case http.MethodPut, http.MethodPatch:
		return 4
	}
	return 8
}

// A budget divides the files that the process may open between connections and what
// their requests open.
type budget struct {
	connections int
	files       int64
}

// newBudget divides limit files. Below 64 there is a little of each all the same.
func newBudget(limit uint64) budget {
	free := int64(max(min(limit, 1<<20), ownFiles)) - ownFiles
	connections := max(min(free/2, maxConnections), 8)
	return budget{connections: int(connections), files: max(free-connections, filesOf("COPY"))}
}

// MaxOperations is how many COPYs, MOVEs and DELETEs may be under way at a time with
// the files that the process may open. One that its client no longer waits for has no
// request whose files [withFiles] counts; it keeps about four open.
func MaxOperations() int { return int(newBudget(fileLimit()).files / 4) }

// withFiles lets no more requests run at a time than the process has files for. The
// others wait, and get a 503 if that takes too long.
func withFiles(next http.Handler, files int64) http.Handler {
	free := semaphore.NewWeighted(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(filesOf(r.Method), files)
		if !free.TryAcquire(n) {
			ctx, cancel := context.WithTimeout(r.Context(), filesPatience)
			err := free.Acquire(ctx, n)
			cancel()
			if err != nil {
				w.Header().Set("Retry-After", "10")
				http.Error(w, "503 Service Unavailable: the server has as many files open as it may: try again in a moment", http.StatusServiceUnavailable)
				return
			}
		}
		defer free.Release(n)
		next.ServeHTTP(w, r)
	})
}
