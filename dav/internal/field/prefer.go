package field

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Preferences are the preferences of a request that davd honours (RFC 7240).
type Preferences struct {
	// Processing: the client asks for interim responses (draft-wright-http-progress).
	Processing bool
	// Async: the client accepts an answer before the operation ends (respond-async, RFC
	// 7240 §4.1). waits says that it sent wait, and wait is the time that it is willing to
	// wait before (§4.3), at most maxWait.
	Async, Waits bool
	Wait         time.Duration
	// Minimal is the name of the header with which the client asks for an answer without
	// the missing properties: Prefer (return=minimal, RFC 8144 §2.1), Microsoft's Brief, or
	// "".
	Minimal string
}

// maxWait is the longest wait that the server applies.
const maxWait = 24 * time.Hour

// ParsePreferences reads the headers Prefer and Brief. If a preference is repeated, the first
// one counts (RFC 7240 §2).
func ParsePreferences(header http.Header) Preferences {
	var p Preferences
	returns, waited := false, false
	for element := range Elements(header["Prefer"]) {
		element, _, _ = strings.Cut(element, ";") // parameters
		token, value, _ := strings.Cut(element, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(token)) {
		case "processing":
			p.Processing = true
		case "respond-async":
			p.Async = true
		case "wait":
			if !waited {
				p.setWait(value)
			}
			waited = true
		case "return":
			if !returns && strings.EqualFold(strings.TrimSpace(value), "minimal") {
				p.Minimal = "Prefer"
			}
			returns = true
		}
	}
	if p.Minimal == "" && strings.EqualFold(header.Get("Brief"), "t") {
		p.Minimal = "Brief"
	}
	return p
}

// setWait reads the value of the preference wait. It ignores a value that is not a number.
func (p *Preferences) setWait(value string) {
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return
	}
	const most = uint64(maxWait / time.Second)
	p.Waits = true
	p.Wait = time.Duration(min(seconds, most)) * time.Second // ParseUint returns the largest number when out of range
}

// PrefersProcessing reports whether the client asks for interim responses.
func PrefersProcessing(header http.Header) bool {
	return header["Prefer"] != nil && ParsePreferences(header).Processing
}

// SetMinimal records in header that the server applied the preference in field.
func SetMinimal(header http.Header, field string) {
	header.Add("Vary", field)
	if field == "Prefer" {
		header.Set("Preference-Applied", "return=minimal")
	}
}
