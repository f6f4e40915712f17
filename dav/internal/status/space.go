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
	if _, own := errors.AsType[*Error](err); own || !storage.NoSpace(err) {
		return err
	}
	full := &Error{Status: http.StatusInsufficientStorage, Condition: DiskSpace, Reason: "the storage is full"}
	if errors.Is(err, syscall.EDQUOT) {
		full.Condition, full.Reason = QuotaNotExceeded, "the quota is used up"
	}
	return full
}
