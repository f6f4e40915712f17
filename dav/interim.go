package dav

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Interim says when and to whom interim responses are sent, for a COPY, MOVE,
// DELETE or PROPFIND that is under way. The zero value is right for most.
type Interim struct {
	// Mode says to whom.
	Mode InterimMode
	// After is the age at which an operation sends its first one to a client
	// that did not ask for any. Zero: 20 s (RFC 2518 §10.1). Negative: at once.
	After time.Duration
	// Every is the time between two of them, and between two signs of life in
	// a PROPFIND's answer. Zero or negative: 20 s.
	Every time.Duration
	// Sent, if not nil, is called after each one with its header, which it
	// must not change.
	Sent func(r *http.Request, header http.Header)
}

const defaultInterval = 20 * time.Second

// InterimMode says to whom interim responses are sent. To HTTP/1.0, and
// through a proxy that says that it forwards to HTTP/1.0, none ever are
// (RFC 9110 §15.2).
type InterimMode int

const (
	// InterimAuto sends them to a client that asks with Prefer: processing,
	// and to one that is known to be safe with them ([Clients]), unless the request shows
	// that a proxy stands between.
	InterimAuto InterimMode = iota
	// InterimAlways sends them to every client.
	InterimAlways
	// InterimNever sends them to none.
	InterimNever
)

var interimModes = [...]string{InterimAuto: "auto", InterimAlways: "always", InterimNever: "never"}

// String returns "auto", "always" or "never".
func (m InterimMode) String() string {
	if m < 0 || int(m) >= len(interimModes) {
		return fmt.Sprintf("InterimMode(%d)", int(m))
	}
	return interimModes[m]
}

// ParseInterimMode is the inverse of [InterimMode.String].
func ParseInterimMode(s string) (InterimMode, error) {
	for mode, name := range interimModes {
		if s == name {
			return InterimMode(mode), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(interimModes[:], ", "))
}

// after returns the age at which the first one is due.
func (i *Interim) after() time.Duration {
	if i.After == 0 {
		return defaultInterval
	}
	return max(i.After, 0)
}

// every returns the time between two.
func (i *Interim) every() time.Duration {
	if i.Every <= 0 {
		return defaultInterval
	}
	return i.Every
}

// unlimited is more than any operation sends.
const unlimited = 1 << 30

// grant is what one request may get.
type grant struct {
	// limit is how many at the most.
	limit int
	// asked: the client sent Prefer: processing.
	asked bool
}

// grant decides for the request r.
func (i *Interim) grant(r *http.Request) grant {
	asked := prefers(r, "processing")
	client, known := knownClient(r.UserAgent())
	switch {
	case i.Mode == InterimNever, !r.ProtoAtLeast(1, 1), viaHTTP10(r):
		return grant{asked: asked}
	case i.Mode == InterimAlways, asked, known && !proxied(r):
	default:
		return grant{}
	}
	limit := unlimited
	if known && client.Limit > 0 {
		limit = client.Limit
	}
	if r.Header.Get("Expect") != "" {
		// The 100 (Continue) counts.
		limit--
	}
	return grant{limit: limit, asked: asked}
}

// viaHTTP10 reports whether a proxy on the way speaks HTTP/1.0 (RFC 9110
// §7.6.3).
func viaHTTP10(r *http.Request) bool {
	for element := range listElements(r.Header.Values("Via")) {
		protocol, _, _ := strings.Cut(element, " ")
		if name, version, found := strings.Cut(protocol, "/"); found {
			if !strings.EqualFold(name, "HTTP") {
				continue
			}
			protocol = version
		}
		if protocol == "1.0" || protocol == "0.9" {
			return true
		}
	}
	return false
}

// proxied reports whether the request shows that a proxy stands between.
func proxied(r *http.Request) bool {
	for name := range r.Header {
		switch name {
		case "Via", "Forwarded", "X-Real-Ip", "X-Varnish":
			return true
		}
		if strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}
