package field

import "net/http"

// singleHeaders are the request headers that are not lists. A sender must not repeat
// them (RFC 9110 §5.3). If the server picked one of several values, a proxy in front of
// it might pick another one.
var singleHeaders = map[string]bool{
	"Content-Range":            true,
	"Depth":                    true,
	"Destination":              true,
	"If":                       true,
	"Lock-Token":               true,
	"Overwrite":                true,
	"X-Expected-Entity-Length": true,
	"X-Oc-Mtime":               true,
}

// CheckSingle refuses a request that repeats one of singleHeaders.
func CheckSingle(header http.Header) error {
	for name, values := range header {
		if len(values) > 1 && singleHeaders[name] {
			return Bad("the header " + name + " must not be repeated")
		}
	}
	return nil
}
