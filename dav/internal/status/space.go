package status

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/davd/davd/storage"
)

// Preconditions of RFC 4331 §6.
const (
	QuotaNotExceeded = "quota-not-exceeded"
	DiskSpace        = "sufficient-disk-space"
)

// WithCondition adds to err why a 507 was sent: either the client's quota or the
// disk is full.
func WithCondition(err error) error {
	var own *Error
	switch {
	case errors.As(err, &own), !storage.NoSpace(err):
		return err
	case errors.Is(err, syscall.EDQUOT):
		own = &Error{Condition: QuotaNotExceeded, Reason: "the quota is used up"}
	default:
		own = &Error{Condition: DiskSpace, Reason: "the storage is full"}
	}
	own.Status = http.StatusInsufficientStorage
	return own
}
