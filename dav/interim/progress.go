package interim

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// Progress is the state of an operation at one moment.
type Progress struct {
	// Done is the number of members that are finished, including failed ones. Known is the
	// number of members found so far, or 0. Both never fall.
	Done, Known int64
	// Bytes and KnownBytes are the same for the contents of files.
	Bytes, KnownBytes int64
	// Final says that Known and KnownBytes are the totals.
	Final bool
	// Current is the name of the member that was begun last.
	Current string
}

// Outcome is a member that is finished.
type Outcome struct {
	// Name is the member's name, as in Progress.
	Name string
	// Status is the HTTP status of a member that failed, and 0 for one that succeeded.
	Status int
}

// Monitor tells how far an operation is.
type Monitor interface {
	Snapshot() Progress
	// Subscribe returns the outcomes from now on.
	Subscribe() Outcomes
}

// Outcomes are the outcomes of an operation's members since a call of Subscribe.
type Outcomes interface {
	// Take returns the outcomes since the last call of Take, failures first. It may leave
	// some out.
	Take() []Outcome
	// Close ends the subscription.
	Close()
}

// statusURI is the header's name in the spelling of RFC 2518 §9.7. net/http would
// write Status-Uri.
const statusURI = "Status-URI"

// maxInterimHeader limits the header fields that davd adds to one interim response, in
// bytes, with their names and line ends.
const maxInterimHeader = 900

// maxProgressName limits the current member in the header Progress, in bytes. Longer
// names are left out.
const maxProgressName = 400

// formatProgress returns the value of the header Progress
// (draft-wright-http-progress-02): members done and in all, the current member relative
// to the request URI if named is true, bytes done and in all. It leaves out totals until
// they are final: the header can't say that a total will grow, and a client would show a
// wrong percentage. Names are escaped as in a URL, so the value is ASCII.
func formatProgress(p Progress, root string, named bool) string {
	if !p.Final {
		p.Known, p.KnownBytes = 0, 0
	}
	b := make([]byte, 0, 128)
	b = appendFraction(b, p.Done, p.Known)
	if name := field.AppendEscaped(nil, Relative(root, p.Current)); named && len(name) > 0 && len(name) <= maxProgressName {
		b = append(b, ` "`...)
		b = append(b, name...)
		b = append(b, '"')
	}
	if p.Bytes > 0 || p.KnownBytes > 0 {
		b = append(b, ' ')
		b = appendFraction(b, p.Bytes, p.KnownBytes)
		b = append(b, " (bytes)"...)
	}
	return string(b)
}

// Field returns p as the value of a header Progress, without the current member.
func (p Progress) Field() string { return formatProgress(p, "", false) }

// appendFraction appends "done/known", or "done/" if known is 0.
func appendFraction(b []byte, done, known int64) []byte {
	b = strconv.AppendInt(b, done, 10)
	b = append(b, '/')
	if known > 0 {
		b = strconv.AppendInt(b, known, 10)
	}
	return b
}

// Relative returns name relative to root, which contains it. For root itself it returns
// the last segment.
func Relative(root, name string) string {
	switch {
	case name == "":
		return ""
	case name == root:
		return name[strings.LastIndexByte(name, '/')+1:]
	case root == "/":
		return name[1:]
	}
	return strings.TrimPrefix(name, root+"/")
}

// formatStatusURI returns the value of the header Status-URI (RFC 2518 §9.7) for the
// outcomes that fit into room bytes, or "". success is the status of a member that
// succeeded.
func formatStatusURI(outcomes []Outcome, success int, url func(name string) string, room int) string {
	var b strings.Builder
	for _, outcome := range outcomes {
		element := strconv.Itoa(cmp.Or(outcome.Status, success)) + " <" + url(outcome.Name) + ">"
		if b.Len()+len(", ")+len(element) > room {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(element)
	}
	return b.String()
}

// memberSuccess is the status of a member that succeeded, for Status-URI, by the method of
// the request. Requests with other methods have no members.
var memberSuccess = map[string]int{
	"COPY":     http.StatusCreated,
	"MOVE":     http.StatusCreated,
	"DELETE":   http.StatusNoContent,
	"PROPFIND": http.StatusOK,
}

// SuccessOf returns the status of a member that succeeded in a request with the method.
func SuccessOf(method string) int { return memberSuccess[method] }
