package status

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

func TestStatusOf(t *testing.T) {
	pathError := func(err error) error { return &fs.PathError{Op: "open", Path: "/a", Err: err} }
	partial := &tree.PartialError{Failures: []tree.Outcome{{Name: "/a", Err: fs.ErrPermission}}}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"its own", &Error{Status: http.StatusTeapot, Reason: ""}, http.StatusTeapot},
		{"its own, wrapped", fmt.Errorf("a: %w", &Error{Status: http.StatusTeapot, Reason: ""}), http.StatusTeapot},
		{"RFC 4918 §9.6.1 partial", partial, http.StatusMultiStatus},
		{"RFC 4918 §9.8.3 partial and more", errors.Join(partial, fs.ErrPermission), http.StatusMultiStatus},
		{"RFC 4918 §9.8.5 overlap", storage.ErrOverlap, http.StatusForbidden},
		{"RFC 5842 §7.2 loop", storage.ErrLoop, http.StatusLoopDetected},
		{"RFC 4918 §9.8.5 disk full", pathError(syscall.ENOSPC), http.StatusInsufficientStorage},
		{"RFC 4918 §9.8.5 quota", &os.LinkError{Op: "rename", Err: syscall.EDQUOT}, http.StatusInsufficientStorage},
		{"disk full before anything else", errors.Join(fs.ErrNotExist, syscall.ENOSPC), http.StatusInsufficientStorage},
		{"shutdown", ErrShutdown, http.StatusServiceUnavailable},
		{"canceled", context.Canceled, http.StatusServiceUnavailable},
		{"too late", pathError(context.DeadlineExceeded), http.StatusServiceUnavailable},
		{"RFC 4918 §11.3 locked", webdav.ErrLocked, http.StatusLocked},
		{"RFC 4918 §10.4.1", webdav.ErrConfirmationFailed, http.StatusPreconditionFailed},
		{"a disk that is not mounted", pathError(storage.ErrUnavailable), http.StatusServiceUnavailable},
		{"read-only storage", pathError(syscall.EROFS), http.StatusForbidden},
		{"name too long", pathError(syscall.ENAMETOOLONG), http.StatusForbidden},
		{"RFC 9110 §15.5.10 a mount point", pathError(syscall.EBUSY), http.StatusConflict},
		{"missing", pathError(fs.ErrNotExist), http.StatusNotFound},
		{"missing, from the kernel", pathError(syscall.ENOENT), http.StatusNotFound},
		{"below a file, from the kernel", pathError(syscall.ENOTDIR), http.StatusNotFound},
		{"not permitted", pathError(syscall.EACCES), http.StatusForbidden},
		{"exists", pathError(syscall.ENOTEMPTY), http.StatusConflict},
		{"invalid", pathError(fs.ErrInvalid), http.StatusForbidden},
		{"unsupported", pathError(errors.ErrUnsupported), http.StatusForbidden},
		{"anything else", pathError(syscall.EIO), http.StatusInternalServerError},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Of(c.err); got != c.want {
				t.Errorf("%v is %d, want %d", c.err, got, c.want)
			}
		})
	}
}

// TestStatusesMatch checks that no row of the table hides one below it.
func TestStatusesMatch(t *testing.T) {
	for _, s := range statuses {
		if got := Of(s.err); got != s.status {
			t.Errorf("%v is %d, want %d", s.err, got, s.status)
		}
		if http.StatusText(s.status) == "" {
			t.Errorf("%d has no text", s.status)
		}
	}
}
