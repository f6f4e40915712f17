package client

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/davd/davd/dav/davclient"
)

// memberError is an error about one member, with a text from this package.
type memberError struct{ text string }

func (e *memberError) Error() string { return e.text }

// skip writes the failed member at the escaped path to Err and returns nil. If all other
// members would fail in the same way, it returns err.
func (s *Session) skip(path string, err error) error {
	if err == nil || fatal(err) {
		return err
	}
	if wrong, ok := errors.AsType[*davclient.Error](err); ok {
		s.memberFailed(wrong.Status, shownPath(path))
		return nil
	}
	s.failed++
	s.Meter.Clear()
	fmt.Fprintf(s.Err, "%s: %v\n", shownPath(path), plain(err))
	return nil
}

// fatal reports whether an error of one member means that the other members will fail as well,
// because it does not only concern one local file or one member.
func fatal(err error) bool {
	switch status(err) {
	case http.StatusUnauthorized, http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		return true
	case 0:
		_, path := errors.AsType[*os.PathError](err)
		_, link := errors.AsType[*os.LinkError](err)
		_, own := errors.AsType[*memberError](err)
		return !path && !link && !own
	}
	return false
}
