package status

import (
	"errors"
	"io/fs"
	"net/http"
	"syscall"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
)

// reasons explain errors to a client. The first match counts. Some say nothing, because the
// status says enough.
var reasons = []struct {
	err    error
	reason string
}{
	{storage.ErrOverlap, storage.ErrOverlap.Error()},
	{storage.ErrSourceChanged, storage.ErrSourceChanged.Error() + ": try again"},
	{ErrShutdown, ErrShutdown.Error()},
	{storage.ErrTooDeep, storage.ErrTooDeep.Error()},
	{syscall.EBUSY, "the server's operating system is using the resource: something is mounted there or has it open"},
	{lock.ErrLimit, lock.ErrLimit.Error() + ": unlock some, or wait until they expire"},
	{fs.ErrNotExist, ""},
	{storage.ErrRefused, "you don't have the right to do this"},
	{cluster.ErrClaimed, cluster.ErrClaimed.Error() + ": try again"},
	{cluster.ErrFenced, "this server was out of touch with the others, and another one has taken over: try again"},
	{cluster.ErrSilent, "another server was changing this resource and doesn't answer: try again"},
	{storage.ErrUnavailable, storage.ErrUnavailable.Error() + ": try again later"},
	{storage.ErrState, "the server can't store locks and properties at the moment"},
	{syscall.ENAMETOOLONG, "the path, or a name in it, is too long for the storage"},
	{syscall.ELOOP, "a symbolic link in the path leads in a circle or must not be followed"},
	{syscall.ENXIO, "the resource is neither a file nor a collection but a FIFO, a socket or a device"},
	{syscall.EROFS, "the storage is read-only"},
	{syscall.EACCES, "the server lacks permission for this file or collection"},
	{syscall.EPERM, "the server lacks permission for this file or collection"},
	{fs.ErrPermission, "the storage does not permit this, for example because a symbolic link leads out of the share"},
}

// Reason returns the text in err that a client may see, or "".
func Reason(err error) string {
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Reason
	}
	if invalid, ok := errors.AsType[*field.Error](err); ok {
		return invalid.Reason
	}
	switch {
	case storage.TooLarge(err):
		return "the file is too large for the server's filesystem, or for the limit of the server's process"
	case storage.OutOfFiles(err):
		return "the server has too many open files: try again in a moment"
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return ""
}

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
