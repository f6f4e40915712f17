package field

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dunglas/httpsfv"
)

// These are the header fields of uploads in parts (draft-ietf-httpbis-resumable-upload).
const (
	UploadComplete = "Upload-Complete"
	UploadOffset   = "Upload-Offset"
	UploadLength   = "Upload-Length"
	UploadLimit    = "Upload-Limit"
	// UploadDraft has the interoperability version of the draft.
	UploadDraft = "Upload-Draft-Interop-Version"
)

// UploadVersion is the interoperability version that the server implements.
const UploadVersion = "8"

// Upload is what a request says about an upload in parts. A header that is not as the draft says
// counts as missing.
type Upload struct {
	// Complete is the value of Upload-Complete, and Given says whether there is one.
	Complete, Given bool
	// Offset and Length are in bytes, or -1 if they are missing.
	Offset, Length int64
	// Understood says that the client knows the version of the draft that the server implements,
	// and Foreign that it knows only another one.
	Understood, Foreign bool
}

// ParseUpload parses the headers of an upload in parts.
func ParseUpload(header http.Header) Upload {
	u := Upload{Offset: uploadInteger(header[UploadOffset]), Length: uploadInteger(header[UploadLength])}
	if values := header[UploadComplete]; len(values) > 0 {
		if item, err := httpsfv.UnmarshalItem(values); err == nil {
			u.Complete, u.Given = item.Value.(bool)
		}
	}
	if values := header[UploadDraft]; len(values) > 0 {
		version := uploadInteger(values)
		u.Understood = strconv.FormatInt(version, 10) == UploadVersion
		u.Foreign = !u.Understood
	}
	return u
}

// uploadInteger parses an Integer that is not negative (RFC 9651 §3.3.1). It returns -1 for
// anything else.
func uploadInteger(values []string) int64 {
	if len(values) == 0 {
		return -1
	}
	item, err := httpsfv.UnmarshalItem(values)
	if err != nil {
		return -1
	}
	if n, ok := item.Value.(int64); ok && n >= 0 {
		return n
	}
	return -1
}

// FormatUploadComplete returns the value of Upload-Complete.
func FormatUploadComplete(complete bool) string {
	if complete {
		return "?1"
	}
	return "?0"
}

// FormatUploadLimit returns the value of Upload-Limit. A maxSize of 0 means that none applies.
func FormatUploadLimit(maxSize int64, left time.Duration) string {
	limit := "max-age=" + strconv.FormatInt(int64(left/time.Second), 10)
	if maxSize > 0 {
		limit = "max-size=" + strconv.FormatInt(maxSize, 10) + ", " + limit
	}
	return limit
}
