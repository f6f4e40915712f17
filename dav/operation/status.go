package operation

import (
	"math"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage/history"
)

// Name is the reserved name, in the root of the server, of the collection of
// status documents. Each operation has one, under a name that can't be guessed; the
// header Location tells it to the client. GET of the collection lists the operations
// of the client's principal. GET of a member returns an [Status]. DELETE of
// a member stops the operation and rolls it back, or forgets an operation that has
// ended.
//
// Only the principal of the operation and an administrator can see a status
// document. To others it does not exist. An operation without a principal is open to
// every client that knows the name. It is in no principal's list, but in the list of
// clients without a principal if they are one person. The history
// keeps the document for a day after the operation ends.
const Name = ".davd-operations"

// DocumentID returns the ID in the name of a status document, or "" for the name of the list.
// ok is false for any other name.
func DocumentID(name string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(name, "/"+Name)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// Status is the JSON status document of an operation, a member of
// [Name]. Resources are hrefs: percent-encoded URL paths. Times are in UTC
// and have the format of RFC 3339.
type Status struct {
	// ID is the last segment of the document's path.
	ID string `json:"id"`
	// Principal is the user who sent the request, if known.
	Principal string `json:"principal,omitempty"`
	// Method is COPY, MOVE, DELETE or PROPFIND.
	Method string `json:"method"`
	// Source is the resource of the request URI. Only a COPY or MOVE has a
	// Destination.
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	// Depth is "0", "1" or "infinity".
	Depth string `json:"depth"`
	// Overwrite is the header Overwrite of a COPY or MOVE.
	Overwrite *bool `json:"overwrite,omitempty"`
	// State is "running", "finished" (it ended by itself, with success or not),
	// "stopped" (a request or a shutdown stopped it, and it was rolled back) or
	// "interrupted" (the server crashed).
	State string `json:"state"`
	// Stopping is true if the operation is running and a request told it to stop. It
	// is rolling back, or it is too late to stop it.
	Stopping bool `json:"stopping,omitempty"`
	// Updated is the time of the information in this document. Ended is null while
	// the operation is running.
	Started time.Time  `json:"started"`
	Updated time.Time  `json:"updated"`
	Ended   *time.Time `json:"ended"`
	// Status is the status of the final response. It is null while the operation is
	// running, and if the status is unknown.
	Status *int `json:"status"`
	// Reason explains the state or status to a person.
	Reason string `json:"reason,omitempty"`
	// Recovery says what the next start of the server did with an interrupted
	// operation: "finished", "undone" or "left"; "" if nothing was necessary.
	Recovery string `json:"recovery,omitempty"`
	// StoppedBy says who stopped the operation: "you", "owner" (its Principal, if that isn't
	// you), "administrator", "client" (one whose principal is unknown), or "" if no client did.
	StoppedBy string `json:"stoppedBy,omitempty"`
	// RollsBack says that a stop undoes what the operation has done.
	RollsBack bool           `json:"rollsBack"`
	Progress  StatusProgress `json:"progress"`
	Rate      StatusRate     `json:"rate"`
	// Estimate is the remaining time in seconds. It is null if it can't be estimated,
	// for example until the total is final.
	Estimate *float64 `json:"estimate"`
	// Failures are the members that failed: at most a thousand, in an event a few, and
	// none in the list of operations. FailuresTotal is the number of all.
	Failures      []StatusFailure `json:"failures"`
	FailuresTotal int64           `json:"failuresTotal"`
	Links         StatusLinks     `json:"links"`
}

// StatusProgress is the progress of an operation. Its numbers never decrease.
type StatusProgress struct {
	// Done is the number of finished members, including those that failed.
	Done int64 `json:"done"`
	// Total is the number of members found so far, or null.
	Total *int64 `json:"total"`
	// TotalFinal says that Total and TotalBytes are complete, apart from members that
	// other programs add. Until then they grow, so don't compute a percentage. It is
	// false if the operation ended before all members were done.
	TotalFinal bool `json:"totalFinal"`
	// Bytes and TotalBytes are the same for the content of files.
	Bytes      int64  `json:"bytes"`
	TotalBytes *int64 `json:"totalBytes"`
	// Current is the member that was started last, or "".
	Current string `json:"current"`
}

// StatusRate is a rate per second: over the last seconds of a running operation, or
// the average of one that has ended.
type StatusRate struct {
	Members float64 `json:"members"`
	Bytes   float64 `json:"bytes"`
}

// StatusFailure is a member that failed.
type StatusFailure struct {
	Href string `json:"href"`
	// Status is an HTTP status.
	Status int `json:"status"`
}

// StatusLinks are URL paths.
type StatusLinks struct {
	Self string `json:"self"`
	// List is the list of the principal's operations.
	List string `json:"list"`
}

// StatusList is the list of operations in JSON, the most recent first.
type StatusList struct {
	Operations []Status `json:"operations"`
}

// newStatus returns v as a status document. href returns the URL path of a resource.
func newStatus(v *view, href func(string) string) *Status {
	document := &Status{
		ID: v.ID, Principal: v.Principal, Method: v.Method, Source: href(v.Source), Depth: field.DepthWord(v.Depth),
		State: string(v.State), Stopping: v.Stopping, Started: v.Started, Updated: v.Updated, Reason: v.Reason, Recovery: v.Recovery,
		StoppedBy: string(v.StoppedBy), RollsBack: v.rollsBack,
		Progress: StatusProgress{
			Done: v.Done, Total: orNull(v.Known), TotalFinal: v.totalFinal(), Bytes: v.Bytes, TotalBytes: orNull(v.KnownBytes),
		},
		Rate: StatusRate{Members: rounded(v.members), Bytes: math.Round(v.bytes)}, Status: orNull(v.Status),
		Failures: make([]StatusFailure, 0, len(v.Failures)), FailuresTotal: v.FailuresTotal,
		Links: StatusLinks{Self: hrefOf(href, v.ID), List: hrefOf(href, "")},
	}
	if v.own && v.StoppedBy == history.Owner {
		document.StoppedBy = "you"
	}
	if v.Destination != "" {
		document.Destination, document.Overwrite = href(v.Destination), &v.Overwrite
	}
	if !v.running() {
		document.Ended = &v.Ended
	}
	if v.Current != "" {
		document.Progress.Current = href(v.Current)
	}
	if left, known := v.secondsLeft(); known {
		left = rounded(left)
		document.Estimate = &left
	}
	for _, failure := range v.Failures {
		document.Failures = append(document.Failures, StatusFailure{Href: href(failure.Name), Status: failure.Status})
	}
	return document
}

// hrefOf returns the path of the status document id, or of the list if id is "".
func hrefOf(href func(string) string, id string) string { return href("/" + Name + "/" + id) }

// The media types of a status document.
const (
	jsonType   = "application/json"
	htmlType   = "text/html"
	eventsType = "text/event-stream"
)

// orNull returns nil for 0.
func orNull[T int | int64](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

// rounded returns x with one decimal.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }
