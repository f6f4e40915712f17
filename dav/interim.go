package dav

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Interim says when and to whom interim responses (102 Processing, RFC 2518
// §10.1) are sent. The zero value is right for most. The rules, by their numbers
// in [Withheld]:
//
//  1. Only for a COPY, MOVE, DELETE or PROPFIND that is under way.
//  2. Never to HTTP/1.0, nor through a proxy that says that it forwards to
//     HTTP/1.0 (RFC 9110 §15.2).
//  3. In the mode auto, to a client that asks with Prefer: processing, and to one
//     that is known to survive them, if nothing shows a proxy in between, or Proxy
//     says that it passes them on. In always, to all; in never, to none.
//  4. The first when the operation is older than After, then one each Every. To a
//     client that asks: at once, then on change, at most one a second, slower with
//     the operation's age; of a limited number the last ten each Every.
//  5. At most as many, and as many bytes, as the client and a proxy in front
//     survive, whatever the mode and whoever asks. A 100 (Continue) counts.
//  6. Each extends the server's WriteTimeout. They end with the connection; the
//     operation does not.
//  7. None once the final response has begun.
type Interim struct {
	// Mode says to whom.
	Mode InterimMode
	// After is the age at which an operation sends its first one to a client
	// that did not ask for any. Zero: 20 s (RFC 2518 §10.1). Negative: at once.
	After time.Duration
	// Every is the time between two of them, and between two signs of life in
	// a PROPFIND's answer. Zero or negative: 20 s.
	Every time.Duration
	// Clients are more rows of the table of known clients. One of them that covers
	// a client counts instead of davd's own ([Interim.KnownClients]).
	Clients []Client
	// Proxy says what the proxies in front do with interim responses.
	Proxy InterimProxy
	// Sent, if not nil, is called after each one with its header, which it
	// must not change.
	Sent func(r *http.Request, header http.Header)
	// Withheld, if not nil, is called once for an operation that gets no interim
	// response, or no more while it is under way, and for another request that
	// asks for them.
	Withheld func(r *http.Request, why Withheld)
}

// Withheld says why a request gets no interim responses, or no more.
type Withheld struct {
	// Rule is the number of the rule of [Interim] that says so.
	Rule int
	// Reason is what it is about the request, for a person.
	Reason string
	// Sent is how many it got before.
	Sent int
}

const defaultInterval = 20 * time.Second

// InterimMode says to whom interim responses are sent, within the rules of
// [Interim].
type InterimMode int

const (
	// InterimAuto sends them to clients that ask for them or are known to survive
	// them.
	InterimAuto InterimMode = iota
	// InterimAlways sends them to every client that is not known to fail.
	InterimAlways
	// InterimNever sends them to none.
	InterimNever
)

var interimModes = [...]string{InterimAuto: "auto", InterimAlways: "always", InterimNever: "never"}

// String returns "auto", "always" or "never".
func (m InterimMode) String() string { return wordOf(interimModes[:], m, "InterimMode") }

// ParseInterimMode is the inverse of [InterimMode.String].
func ParseInterimMode(s string) (InterimMode, error) {
	return parseWord[InterimMode](interimModes[:], s)
}

// wordOf returns the word for value, or its number in the form of its type.
func wordOf[T ~int](words []string, value T, typeName string) string {
	if value < 0 || int(value) >= len(words) {
		return fmt.Sprintf("%s(%d)", typeName, int(value))
	}
	return words[value]
}

// parseWord is the inverse of wordOf.
func parseWord[T ~int](words []string, s string) (T, error) {
	i := slices.Index(words, s)
	if i < 0 {
		return 0, fmt.Errorf("%q is none of %s", s, strings.Join(words, ", "))
	}
	return T(i), nil
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
