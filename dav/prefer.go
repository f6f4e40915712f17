package dav

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preferences are the preferences of a request that davd honours (RFC 7240).
type preferences struct {
	// processing: the client asks for interim responses (draft-wright-http-progress).
	processing bool
	// async: the client accepts an answer before the operation ends (respond-async, RFC
	// 7240 §4.1). waits says that it sent wait, and wait is the time that it is willing to
	// wait before (§4.3), at most maxWait.
	async, waits bool
	wait         time.Duration
	// minimal is the name of the header with which the client asks for an answer without
	// the missing properties: Prefer (return=minimal, RFC 8144 §2.1), Microsoft's Brief, or
	// "".
	minimal string
}

// maxWait is the longest wait that the server applies.
const maxWait = 24 * time.Hour

// parsePrefer reads the headers Prefer and Brief. If a preference is repeated, the first
// one counts (RFC 7240 §2).
func parsePrefer(header http.Header) preferences {
	var p preferences
	returns, waited := false, false
	for element := range listElements(header["Prefer"]) {
		element, _, _ = strings.Cut(element, ";") // parameters
		token, value, _ := strings.Cut(element, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(token)) {
		case "processing":
			p.processing = true
		case "respond-async":
			p.async = true
		case "wait":
			if !waited {
				p.setWait(value)
			}
			waited = true
		case "return":
			if !returns && strings.EqualFold(strings.TrimSpace(value), "minimal") {
				p.minimal = "Prefer"
			}
			returns = true
		}
	}
	if p.minimal == "" && strings.EqualFold(header.Get("Brief"), "t") {
		p.minimal = "Brief"
	}
	return p
}

// setWait reads the value of the preference wait. It ignores one that is not a number.
func (p *preferences) setWait(value string) {
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return
	}
	const most = uint64(maxWait / time.Second)
	p.waits = true
	p.wait = time.Duration(min(seconds, most)) * time.Second // ParseUint returns the largest number when out of range
}

// prefersProcessing reports whether the client asks for interim responses.
func prefersProcessing(header http.Header) bool {
	return header["Prefer"] != nil && parsePrefer(header).processing
}
