package operation

import (
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

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
	Recovery string         `json:"recovery,omitempty"`
	Progress StatusProgress `json:"progress"`
	Rate     StatusRate     `json:"rate"`
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

// statusDocument returns view as a status document.
func (s *Registry) statusDocument(view *operationView) Status {
	r := &view.record
	document := Status{
		ID: r.ID, Principal: r.Principal, Method: r.Method, Source: s.server.Href(r.Source), Depth: field.DepthWord(r.Depth),
		State: string(r.State), Stopping: view.stopping(), Started: r.Started, Updated: r.Updated, Reason: r.Reason, Recovery: r.Recovery,
		Progress: StatusProgress{
			Done: r.Done, Total: orNull(r.Known), TotalFinal: view.totalFinal(), Bytes: r.Bytes, TotalBytes: orNull(r.KnownBytes),
		},
		Rate: StatusRate{Members: rounded(view.members), Bytes: math.Round(view.bytes)}, Status: orNull(r.Status),
		Failures: make([]StatusFailure, 0, len(r.Failures)), FailuresTotal: r.FailuresTotal,
		Links: StatusLinks{Self: s.statusHref(r.ID), List: s.statusHref("")},
	}
	if r.Destination != "" {
		document.Destination, document.Overwrite = s.server.Href(r.Destination), &r.Overwrite
	}
	if !r.Ended.IsZero() {
		document.Ended = &r.Ended
	}
	if r.Current != "" {
		document.Progress.Current = s.server.Href(r.Current)
	}
	if left, known := view.secondsLeft(); known {
		left = rounded(left)
		document.Estimate = &left
	}
	for _, failure := range r.Failures {
		document.Failures = append(document.Failures, StatusFailure{Href: s.server.Href(failure.Name), Status: failure.Status})
	}
	return document
}

// totalFinal reports whether the totals in the record are complete.
func (v *operationView) totalFinal() bool {
	r := &v.record
	switch {
	case r.Known == 0:
		return false
	case !r.Ended.IsZero():
		return r.State == history.Finished && r.Status < http.StatusBadRequest && r.Done == r.Known
	case v.op == nil:
		return false
	}
	// The record may be older than the snapshot. If the totals are equal, those of the
	// record were final, too.
	p := v.op.monitor.Snapshot()
	return p.Final && p.Known == r.Known && p.KnownBytes == r.KnownBytes
}

// secondsLeft estimates the remaining time of a running operation. known is false until
// the totals are final.
func (v *operationView) secondsLeft() (seconds float64, known bool) {
	r := &v.record
	if !r.Ended.IsZero() || !v.totalFinal() {
		return 0, false
	}
	return secondsLeft(r.Done, r.Known, v.members, r.Bytes, r.KnownBytes, v.bytes)
}

// orNull returns nil for 0.
func orNull[T int | int64](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

// rounded returns x with one decimal.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }

// respondJSON writes a status document as JSON.
func (s *Registry) respondJSON(w http.ResponseWriter, status int, view *operationView) error {
	document := s.statusDocument(view)
	return writeJSON(w, status, &document)
}

func writeJSON(w http.ResponseWriter, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// serveOperations serves the list of the operations that r may see.
func (s *Registry) serveOperations(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, listMethods)
	case http.MethodGet, http.MethodHead:
	default:
		w.Header().Set("Allow", listMethods)
		return status.New(http.StatusMethodNotAllowed, "the list of operations can only be read")
	}
	views, err := s.listOperations(r)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if field.PreferredType(r.Header["Accept"], jsonType, htmlType) == htmlType {
		return status.Logged(s.respondListPage(w, r, views))
	}
	list := StatusList{Operations: make([]Status, 0, len(views))}
	for _, view := range views {
		view.record.Failures = nil
		list.Operations = append(list.Operations, s.statusDocument(view))
	}
	return status.Logged(writeJSON(w, http.StatusOK, &list))
}

// listOperations returns the operations that r may see, the most recent first: all for
// an administrator, a principal's own for a principal, and none for other clients.
func (s *Registry) listOperations(r *http.Request) ([]*operationView, error) {
	principal, all := s.server.Principal(r), s.server.Administers(r)
	if principal == "" && !all {
		return nil, nil
	}
	var views []*operationView
	listed := make(map[string]bool)
	for _, op := range s.of(func(op *operation) bool { return ofTenant(r, op) && (all || op.Principal == principal) }) {
		view := s.viewOf(op)
		views, listed[view.record.ID] = append(views, view), true
	}
	var records []history.Record
	var err error
	if all {
		records, err = s.server.Records().AllOperations(r.Context())
	} else {
		records, err = s.server.Records().ListOperations(r.Context(), principal)
	}
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		if !listed[record.ID] && !outdated(&record) {
			views = append(views, s.viewOfRecord(r.Context(), record))
		}
	}
	sortViews(views)
	return views, nil
}
