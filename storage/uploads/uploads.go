// Package uploads keeps records of files that clients upload in parts. The parts themselves are in the
// storage, as kept content (storage.Keeper).
package uploads

import (
	"context"
	"net/http"
	"time"
)

// Session is an upload that is under way, or has ended a short time ago.
type Session struct {
	// ID can't be guessed.
	ID string
	// Owner is the tenant and principal that began the upload, in one text. Client is the key
	// under which it counts.
	Owner, Client string
	// Asked is the name in the storage for which the client asked, and Name the canonical one of
	// the file.
	Asked, Name string
	// Stage is the last segment of the name of the content so far, beside Name.
	Stage string
	// Header has those fields of the first request that apply to the whole file.
	Header http.Header
	// Offset is how many bytes have arrived and can't be lost by a kill. Length is how many there
	// will be, or -1 if that is unknown.
	Offset, Length int64
	// Placing says that the content was about to be put in place, and Complete that it was.
	Placing, Complete bool
	// Expires is when the session ends if nothing more arrives. It is kept to the microsecond.
	Expires time.Time
}

// Store keeps sessions. If it keeps them on disk, a change is durable when the method returns. All
// methods are safe for concurrent use.
type Store interface {
	// AllUploads returns all sessions, ordered by ID.
	AllUploads(ctx context.Context) ([]Session, error)
	// SaveUpload adds a session, or replaces the one with its ID.
	SaveUpload(ctx context.Context, s Session) error
	// DeleteUpload removes a session. It is no error if that does not exist.
	DeleteUpload(ctx context.Context, id string) error
}

// State is a state that keeps sessions.
type State interface {
	// Uploads returns the sessions, or nil if it keeps none.
	Uploads() Store
}

// In returns the sessions of a state, or nil if it keeps none.
func In(state any) Store {
	if s, ok := state.(State); ok {
		return s.Uploads()
	}
	return nil
}
