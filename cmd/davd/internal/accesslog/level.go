package accesslog

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
)

// quietTime is how long further failures of a kind are INFO after an ERROR.
const quietTime = time.Minute

// failureKind is a kind of failure. Their number is limited: shares are those of the configuration.
type failureKind struct {
	status int
	share  string
}

// levels finds the level of each record.
type levels struct {
	mu    sync.Mutex
	until map[failureKind]time.Time // the end of the quiet time
}

// of returns error if the server failed, warn for a name or password that is not valid, and info
// for everything else: a client's mistake is no reason to look at the server. Clients can repeat a
// request that fails. So a failure is an error only once in quietTime, unless it is unexpected.
func (l *levels) of(r *Record) slog.Level {
	switch {
	case r.Status == http.StatusUnauthorized && r.NamesUser:
		return slog.LevelWarn
	case r.Status == http.StatusInternalServerError, r.Err == errPanicked: //nolint:errorlint // it is never wrapped
		return slog.LevelError
	case r.Status < http.StatusInternalServerError, causedByClient(r):
		return slog.LevelInfo
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	kind, now := failureKind{r.Status, r.Share}, time.Now()
	if now.Before(l.until[kind]) {
		return slog.LevelInfo
	}
	l.until[kind] = now.Add(quietTime)
	return slog.LevelError
}

// causedByClient reports whether a request with a status of 500 or more failed because the client
// has exceeded a quota or another limit of its own, or sent a method that does not exist. A full
// disk is not its doing.
func causedByClient(r *Record) bool {
	switch r.Status {
	case http.StatusNotImplemented:
		return true
	case http.StatusInsufficientStorage:
		return errors.Is(r.Err, syscall.EDQUOT) || !storage.NoSpace(r.Err)
	}
	return false
}
