package interim

import (
	"fmt"
	"net/http"
	"time"
)

// Policy says when and to which clients interim responses (102 Processing, RFC 2518
// §10.1) are sent. The zero value suits most servers. These are the rules, with the
// numbers that [Withheld] uses:
//
//  1. A request gets interim responses while the server works on it, once its body has
//     been read to the end: they say that the server has accepted the complete request. A
//     GET, HEAD or OPTIONS gets none.
//  2. They are never sent to HTTP/1.0, nor through a proxy that says that it forwards to
//     HTTP/1.0 (RFC 9110 §15.2).
//  3. In the mode auto, they are sent to clients that ask with Prefer: processing, and to
//     clients that are known to survive them, unless the request shows a proxy in between
//     and Proxy doesn't say that it passes them on. In the mode always, they are sent to
//     all clients; in the mode never, to none.
//  4. The first one is sent when the request is older than After, and then one each
//     Every. A client that asks gets the first one immediately for a COPY, MOVE, DELETE or
//     PROPFIND, and after a second for other methods. It gets more when the progress
//     changes, at most one a second, and less often as the request gets older. If the
//     client has a limit, its last ten are sent one each Every.
//  5. The client, or a proxy in front, limits their number and their total size in bytes,
//     in every mode and even if the client asks. A 100 (Continue) counts.
//  6. Each one extends the server's WriteTimeout. They end with the connection; the
//     operation does not.
//  7. None are sent once the final response has begun.
type Policy struct {
	// Mode says which clients get interim responses.
	Mode Mode
	// After is how old an operation is when it sends its first one to a client that didn't
	// ask. Zero means 20 s (RFC 2518 §10.1), and a negative value means immediately.
	After time.Duration
	// Every is the time between two of them, and between two newlines that keep the
	// connection alive in a PROPFIND's answer. Zero or a negative value means 20 s.
	Every time.Duration
	// Clients are additional rows of the table of known clients. For a client that they
	// cover, they replace davd's own rows ([Policy.KnownClients]).
	Clients []KnownClient
	// Proxy says what the proxies in front do with interim responses.
	Proxy Proxy
	// Sent, if not nil, is called after each one with its header. It must not change the
	// header.
	Sent func(r *http.Request, header http.Header)
	// Withheld, if not nil, is called once for each COPY, MOVE, DELETE or PROPFIND that gets
	// no interim response, for each other request that gets none although it asks, and for
	// each request that gets no more while it is under way.
	Withheld func(r *http.Request, why Withheld)
}

// Withheld says why a request gets no interim responses, or no more.
type Withheld struct {
	// Rule is the number of the rule of [Policy] that applies.
	Rule int
	// Reason explains for a person how the rule applies to the request.
	Reason string
	// Sent is how many interim responses the request got before.
	Sent int
}

const defaultInterval = 20 * time.Second

// Mode says which clients get interim responses, within the rules of [Policy].
type Mode int

const (
	// Auto sends them to clients that ask for them or are known to survive them.
	Auto Mode = iota
	// Always sends them to every client that is not known to fail.
	Always
	// Never never sends them.
	Never
)

var interimModes = [...]string{Auto: "auto", Always: "always", Never: "never"}

// String returns "auto", "always" or "never".
func (m Mode) String() string { return wordOf(interimModes[:], m, "Mode") }

// wordOf returns the word for value. For an unknown value it returns the type and the
// number.
func wordOf[T ~int](words []string, value T, typeName string) string {
	if value < 0 || int(value) >= len(words) {
		return fmt.Sprintf("%s(%d)", typeName, int(value))
	}
	return words[value]
}

// FirstAfter returns the age at which the first interim response is due.
func (i *Policy) FirstAfter() time.Duration {
	if i.After == 0 {
		return defaultInterval
	}
	return max(i.After, 0)
}

// every returns the time between two interim responses.
func (i *Policy) every() time.Duration {
	if i.Every <= 0 {
		return defaultInterval
	}
	return i.Every
}
