package dav

import "strings"

// The media types of a status document.
const (
	jsonType   = "application/json"
	htmlType   = "text/html"
	eventsType = "text/event-stream"
)

// preferredForm returns which of the media types a client prefers, by the values of
// its header Accept (RFC 9110 §12.5.1): of several the first, and that even if it
// takes none.
func preferredForm(accept []string, types ...string) string {
	best, most := types[0], 0
	for _, mediaType := range types {
		if w := acceptedWeight(accept, mediaType); w > most {
			best, most = mediaType, w
		}
	}
	return best
}

// acceptedWeight is the weight that the most specific range gives mediaType, in
// thousandths.
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

// rangeWeight returns the parameter q among others.
func rangeWeight(parameters string) (thousandths int) {
	for parameter := range strings.SplitSeq(parameters, ";") {
		if name, _, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "q") {
			thousandths, _ = weight(parameter)
			return thousandths
		}
	}
	return 1000
}
