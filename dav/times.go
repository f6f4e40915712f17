package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// timeProp is a property with which a client sets the modification time.
type timeProp struct {
	name xml.Name
	dead bool // the value is also stored as a dead property
}

var timeProps = []timeProp{
	{name: davxml.Name("getlastmodified")},
	// rclone and others set this one, in seconds since 1970.
	{name: davxml.Name("lastmodified")},
	// Explorer sets this one after each PUT.
	{name: xml.Name{Space: "urn:schemas-microsoft-com:", Local: "Win32LastModifiedTime"}, dead: true},
}

// parseTime parses the value of a timeProp: an HTTP date (RFC 9110 §5.6.7), an RFC 3339
// date, or seconds since 1970.
func parseTime(innerXML []byte) (time.Time, bool) {
	var value struct {
		Text string `xml:",chardata"`
	}
	if xml.Unmarshal([]byte("<v>"+string(innerXML)+"</v>"), &value) != nil {
		return time.Time{}, false
	}
	text := strings.Trim(value.Text, " \t\r\n")
	t, err := http.ParseTime(text)
	if err != nil {
		t, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		var seconds int64
		seconds, err = strconv.ParseInt(text, 10, 64)
		t = time.Unix(seconds, 0)
	}
	// An HTTP date can't have other years. The zero time would mean that none is set.
	return t, err == nil && 1 <= t.UTC().Year() && t.UTC().Year() <= 9999 && !t.IsZero()
}

// timePrecision is the precision of modification times on FAT, the coarsest of all
// filesystems.
const timePrecision = 2 * time.Second

// errTimeNotKept says that the storage stored a different time. Filesystems have an
// earliest and a latest time: the latest is in 2038 on ext4 with small inodes and on XFS
// without bigtime, in 2107 on FAT, and in 2446 on ext4.
var errTimeNotKept = status.New(http.StatusConflict, "the server's filesystem can't store this time: it is too early or too late")

// setTime sets the modification time of name, which info describes. If the storage does
// not keep the time, apart from rounding, setTime restores the old time and returns
// errTimeNotKept.
func setTime(ctx context.Context, names place.Resolver, name string, info fs.FileInfo, modified time.Time) error {
	if err := storage.SetTimes(ctx, names.FS, name, modified); err != nil {
		return err
	}
	now, err := names.Stat(ctx, name)
	if err == nil && now.ModTime().Sub(modified).Abs() <= timePrecision {
		return nil
	}
	if err == nil {
		err = errTimeNotKept
	}
	return errors.Join(err, resetTime(ctx, names.FS, name, info))
}

// resetTime restores the modification time in info.
func resetTime(ctx context.Context, fsys storage.FS, name string, info fs.FileInfo) error {
	return storage.SetTimes(context.WithoutCancel(ctx), fsys, name, info.ModTime())
}

// distinct returns modified or, if the storage tells versions apart only by time and
// size, a random time in the same second. A client may send the same time for
// different content of the same size, which must not get the same entity tag.
func distinct(ctx context.Context, fsys storage.FS, name string, modified time.Time) time.Time {
	if modified.IsZero() {
		return modified
	}
	collection, err := fsys.Stat(ctx, path.Dir(name))
	if err == nil {
		if _, strong := storage.Version(collection); strong {
			return modified
		}
	}
	return time.Unix(modified.Unix(), rand.Int64N(int64(time.Second))) //nolint:gosec // no secret
}

// changedMembers sets the modification time of the parent collection of name to
// now, in nanoseconds. The kernel's own time has a precision of only some
// milliseconds: two changes within them would leave the collection with the same
// entity tag.
//
// In the transaction of c, the storage sets the time itself.
func (h *Handler) changedMembers(ctx context.Context, c *claim, name string) {
	if c.transacted() {
		return
	}
	fsys := h.FileSystem
	if _, restricts := fsys.(storage.Authorizer); restricts {
		ctx = storage.Unrestricted(ctx) // The principal was allowed to change the members.
	}
	_ = storage.SetTimes(ctx, fsys, path.Dir(name), time.Now()) // storage that can't set times keeps its own
}

// setLastModified never sends a time after the Date of the response (RFC 9110
// §8.8.2.1). getlastmodified may: a client that has set the time of a file compares it
// there. If the listing showed a different time, the client would send the file again
// and again.
func setLastModified(header http.Header, info fs.FileInfo) {
	modified := info.ModTime()
	if now := time.Now(); modified.After(now) {
		modified = now
	}
	header.Set("Last-Modified", string(field.AppendHTTPDate(make([]byte, 0, len(http.TimeFormat)), modified)))
}
