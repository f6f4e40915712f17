package dav

import (
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/davd/davd/storage/history"
)

// OperationStatus is the status document of an operation in JSON, the type of the
// content of [OperationsName]'s members. Resources are given by their hrefs: paths
// of URLs, percent-encoded. Times are in UTC as RFC 3339 has them.
type OperationStatus struct {
	// ID is the last segment of the document's path.
	ID string `json:"id"`
	// Principal is whose it is, if that is known.
	Principal string `json:"principal,omitempty"`
	// Method is COPY, MOVE, DELETE or PROPFIND.
	Method string `json:"method"`
	// Source is the request URI's resource. Destination is only there in a COPY
	// or MOVE.
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	// Depth is "0", "1" or "infinity".
	Depth string `json:"depth"`
	// Overwrite is only there in a COPY or MOVE.
	Overwrite *bool `json:"overwrite,omitempty"`
	// State is "running", "finished" (by itself, whatever Status says), "stopped"
	// (before its end, and rolled back) or "interrupted" (the server has died).
	State string `json:"state"`
	// Stopping is there, and true, while it is running and was told to stop: it
	// rolls back, or can't be stopped any more.
	Stopping bool `json:"stopping,omitempty"`
	// Updated is when all this was true. Ended is null while it is running.
	Started time.Time  `json:"started"`
	Updated time.Time  `json:"updated"`
	Ended   *time.Time `json:"ended"`
	// Status is that of the final response, null while there is none or when it
	// is not known.
	Status *int `json:"status"`
	// Reason says why, for a person.
	Reason string `json:"reason,omitempty"`
	// Recovery is what the start after a crash did with it: "finished", "undone" or
	// "left", if there was anything to do.
	Recovery string            `json:"recovery,omitempty"`
	Progress OperationProgress `json:"progress"`
	Rate     OperationRate     `json:"rate"`
	// Estimate is how many seconds are left, null when that can't be told: while the
	// total is not final, for one.
	Estimate *float64 `json:"estimate"`
	// Failures are the members that failed, a thousand at most (in an event: a
	// few), in no list of operations. FailuresTotal counts all.
	Failures      []OperationFailure `json:"failures"`
	FailuresTotal int64              `json:"failuresTotal"`
	Links         OperationLinks     `json:"links"`
}

// OperationProgress is how far an operation is. No number ever falls.
type OperationProgress struct {
	// Done is the number of members that are finished, failed ones included.
	Done int64 `json:"done"`
	// Total is how many are known so far, null while there is no number.
	Total *int64 `json:"total"`
	// TotalFinal: Total and TotalBytes are all that there is, but for what may still
	// appear. Until then they grow, and to divide by them is of no use. Of what has
	// ended before all was done, they are what had been found.
	TotalFinal bool `json:"totalFinal"`
	// Bytes and TotalBytes are the same for the content of files.
	Bytes      int64  `json:"bytes"`
	TotalBytes *int64 `json:"totalBytes"`
	// Current is the member last begun, "" if there is none.
	Current string `json:"current"`
}

// OperationRate is what is done in a second: in the last ones of an operation that
// is running, or on the average of one that has ended.
type OperationRate struct {
	Members float64 `json:"members"`
	Bytes   float64 `json:"bytes"`
}

// OperationFailure is a member that failed.
type OperationFailure struct {
	Href string `json:"href"`
	// Status is an HTTP status.
	Status int `json:"status"`
}

// OperationLinks are paths of URLs.
type OperationLinks struct {
	Self string `json:"self"`
	// List is that of all operations of the principal.
	List string `json:"list"`
}

// OperationList is the list of operations in JSON, the last begun first.
type OperationList struct {
	Operations []OperationStatus `json:"operations"`
}

// statusDocument returns what view says.
func (h *Handler) statusDocument(view *operationView) OperationStatus {
	r := &view.record
	document := OperationStatus{
		ID: r.ID, Principal: r.Principal, Method: r.Method, Source: h.href(r.Source, false), Depth: depthWord(r.Depth),
		State: string(r.State), Stopping: view.stopping(), Started: r.Started, Updated: r.Updated, Reason: r.Reason, Recovery: r.Recovery,
		Progress: OperationProgress{
			Done: r.Done, Total: orNull(r.Known), TotalFinal: view.totalFinal(), Bytes: r.Bytes, TotalBytes: orNull(r.KnownBytes),
		},
		Rate: OperationRate{Members: rounded(view.members), Bytes: math.Round(view.bytes)}, Status: orNull(r.Status),
		Failures: make([]OperationFailure, 0, len(r.Failures)), FailuresTotal: r.FailuresTotal,
		Links: OperationLinks{Self: h.statusHref(r.ID), List: h.statusHref("")},
	}
	if r.Destination != "" {
		document.Destination, document.Overwrite = h.href(r.Destination, false), &r.Overwrite
	}
	if !r.Ended.IsZero() {
		document.Ended = &r.Ended
	}
	if r.Current != "" {
		document.Progress.Current = h.href(r.Current, false)
	}
	if left, known := view.secondsLeft(); known {
		left = rounded(left)
		document.Estimate = &left
	}
	for _, failure := range r.Failures {
		document.Failures = append(document.Failures, OperationFailure{Href: h.href(failure.Name, false), Status: failure.Status})
	}
	return document
}

// totalFinal reports whether what is known is all that there is.
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
	// If the numbers are those of the record, they were final then.
	p := v.op.monitor.Snapshot()
	return p.Final && p.Known == r.Known && p.KnownBytes == r.KnownBytes
}

// secondsLeft estimates when an operation will end that is running, once it is known
// how much there is.
func (v *operationView) secondsLeft() (seconds float64, known bool) {
	r := &v.record
	if !r.Ended.IsZero() || !v.totalFinal() {
		return 0, false
	}
	return secondsLeft(r.Done, r.Known, v.members, r.Bytes, r.KnownBytes, v.bytes)
}

// orNull is nil for 0.
func orNull[T int | int64](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

// rounded is x with one decimal.
func rounded(x float64) float64 { return math.Round(x*10) / 10 }

// depthWord is the header Depth that means depth.
func depthWord(depth int) string {
	for word, d := range depths {
		if d == depth {
			return word
		}
	}
	return "infinity"
}

// respondJSON writes a status document.
func (h *Handler) respondJSON(w http.ResponseWriter, status int, view *operationView) error {
	document := h.statusDocument(view)
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

// serveOperations lists what r may see.
func (h *Handler) serveOperations(w http.ResponseWriter, r *http.Request) (status int, err error) {
	switch r.Method {
	case http.MethodOptions:
		return serveAllow(w, listMethods)
	case http.MethodGet, http.MethodHead:
	default:
		w.Header().Set("Allow", listMethods)
		return refuse(http.StatusMethodNotAllowed, "the list of operations can only be read")
	}
	views, err := h.listOperations(r)
	if err != nil {
		return statusOf(err), err
	}
	w.Header().Set("Vary", "Accept")
	if preferredForm(r.Header["Accept"], jsonType, htmlType) == htmlType {
		return 0, h.respondListPage(w, r, views)
	}
	list := OperationList{Operations: make([]OperationStatus, 0, len(views))}
	for _, view := range views {
		view.record.Failures = nil
		list.Operations = append(list.Operations, h.statusDocument(view))
	}
	return 0, writeJSON(w, http.StatusOK, &list)
}

// listOperations returns what r may see, the last begun first: of a principal his
// own, of an administrator all, of anybody else nothing.
func (h *Handler) listOperations(r *http.Request) ([]*operationView, error) {
	principal, all := h.principal(r), h.administers(r)
	if principal == "" && !all {
		return nil, nil
	}
	var views []*operationView
	listed := make(map[string]bool)
	for _, op := range h.operations.of(func(op *operation) bool { return ofTenant(r, op) && (all || op.Principal == principal) }) {
		view := h.viewOf(op)
		views, listed[view.record.ID] = append(views, view), true
	}
	var records []history.Record
	var err error
	if all {
		records, err = h.records().AllOperations(r.Context())
	} else {
		records, err = h.records().ListOperations(r.Context(), principal)
	}
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		if !listed[record.ID] && !outdated(&record) {
			views = append(views, h.viewOfRecord(r.Context(), record))
		}
	}
	sortViews(views)
	return views, nil
}
