package dav

import "strings"

// The media types of a status document.
const (
	jsonType   = "application/json"
	htmlType   = "text/html"
	eventsType = "text/event-stream"
)

// preferredForm returns the media type in types that the values of the header Accept
// give the highest weight (RFC 9110 §12.5.1), the first of several equal ones. If the
// client accepts none of them, it returns the first.
func preferredForm(accept []string, types ...string) string {
	best, most := types[0], 0
	for _, mediaType := range types {
		if w := acceptedWeight(accept, mediaType); w > most {
			best, most = mediaType, w
		}
	}
	return best
}

// acceptedWeight returns the weight of mediaType, in thousandths. The most specific
// range that matches it decides (RFC 9110 §12.5.1).
func acceptedWeight(accept []string, mediaType string) (thousandths int) {
	kind, _, _ := strings.Cut(mediaType, "/")
	ranges := [...]string{"*/*", kind + "/*", mediaType}
	most := -1
	for element := range listElements(accept) {
		name, parameters, _ := strings.Cut(element, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		for specific, each := range ranges {
			if name == each && specific > most {
				thousandths, most = rangeWeight(parameters), specific
			}
		}
	}
	return thousandths
}

// rangeWeight returns the value of the parameter q, in thousandths, or 1000 without it.
func rangeWeight(parameters string) (thousandths int) {
	for parameter := range strings.SplitSeq(parameters, ";") {
		if name, _, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "q") {
			thousandths, _ = weight(parameter)
			return thousandths
		}
	}
	return 1000
}
