package dav

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/davxml"
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
