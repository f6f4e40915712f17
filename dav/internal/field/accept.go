package field

import (
	"strconv"
	"strings"
)

// PreferredType returns the media type in types that the values of the header Accept
// give the highest weight (RFC 9110 §12.5.1), the first of several equal ones. If the
// client accepts none of them, it returns the first.
func PreferredType(accept []string, types ...string) string {
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
	for element := range Elements(accept) {
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
			thousandths, _ = Weight(parameter)
			return thousandths
		}
	}
	return 1000
}

// Weight parses a quality value (RFC 9110 §12.4.2), in thousandths. It accepts a
// missing 0 before the point, because Java sends that.
func Weight(parameters string) (thousandths int, ok bool) {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1000, true
	}
	name, value, _ := strings.Cut(parameters, "=")
	whole, fraction, _ := strings.Cut(value, ".")
	if whole == "" && fraction != "" {
		whole = "0"
	}
	if !strings.EqualFold(name, "q") || whole != "0" && whole != "1" || len(fraction) > 3 {
		return 0, false
	}
	n, err := strconv.ParseUint((whole + fraction + "000")[:4], 10, 16)
	return int(n), err == nil && n <= 1000
}
