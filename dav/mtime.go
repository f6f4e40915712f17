package dav

import (
	"context"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/storage"
)

// maxMtime bounds times to those that HTTP dates can have, in seconds: to the
// year 9999.
const maxMtime = 253402300799

// parseMtime reads the header X-OC-Mtime of ownCloud, Nextcloud and rclone:
// seconds since 1970, maybe with a sign and a fraction. What it can't be is the
// zero time: the client sees that it is not accepted, and the content is right
// all the same.
func parseMtime(value string) time.Time {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < -maxMtime || seconds > maxMtime {
		return time.Time{}
	}
	nanoseconds := int64(0)
	if fraction != "" {
		nine := (fraction + "00000000")[:9]
		n, err := strconv.ParseUint(nine, 10, 32)
		if err != nil || strings.Trim(fraction, "0123456789") != "" {
			return time.Time{}
		}
		nanoseconds = int64(n)
	}
	if strings.HasPrefix(whole, "-") {
		nanoseconds = -nanoseconds
	}
	return time.Unix(seconds, nanoseconds)
}

// distinct returns modified or, where the storage knows versions by time and
// size alone, another time in the same second: a client may give the same time
// to other content of the same size, which must not get the same entity tag.
func (h *Handler) distinct(ctx context.Context, name string, modified time.Time) time.Time {
	if modified.IsZero() {
		return modified
	}
	collection, err := h.FileSystem.Stat(ctx, path.Dir(name))
	if err == nil {
		if _, strong := storage.Version(collection); strong {
			return modified
		}
	}
	return time.Unix(modified.Unix(), rand.Int64N(int64(time.Second))) //nolint:gosec // no secret
}
