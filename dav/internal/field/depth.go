package field

import (
	"slices"
	"strconv"
	"strings"
)

// Infinite is the depth of a whole tree.
const Infinite = -1

// Depth is the value of the header Depth (RFC 4918 §10.2). The zero value means
// that the request has none.
type Depth struct {
	value string // as sent, in lower case
	given bool
	// noRoot leaves out the collection itself: clients for Exchange and SharePoint send
	// "1,noroot" for its members ([MS-WDV] 2.2.2) and "infinity,noroot" for its tree.
	noRoot bool
}

// ParseDepth parses the header Depth. It refuses nothing, because the method decides
// which values it accepts.
func ParseDepth(values []string) Depth {
	if len(values) == 0 {
		return Depth{}
	}
	d := Depth{value: strings.ToLower(values[0]), given: true}
	value, suffix, suffixed := strings.Cut(d.value, ",")
	if suffixed && strings.Trim(suffix, " \t") == "noroot" {
		d.value, d.noRoot = strings.TrimRight(value, " \t"), true
	}
	return d
}

// In returns the depth as 0, 1 or Infinite. Without the header, it is infinite.
// allowed lists the values that the method accepts, for a request without noroot.
func (d Depth) In(method string, allowed ...string) (int, error) {
	if !d.given {
		return Infinite, nil
	}
	if !d.noRoot && slices.Contains(allowed, d.value) {
		return depths[d.value], nil
	}
	return 0, badDepth(method, allowed)
}

// InListing is in for a PROPFIND.
func (d Depth) InListing(method string) (depth int, noRoot bool, err error) {
	if !d.noRoot {
		depth, err = d.In(method, "0", "1", "infinity")
		return depth, false, err
	}
	if d.value == "0" || depths[d.value] == 0 {
		return 0, true, badDepth(method, []string{"1", "infinity"})
	}
	return depths[d.value], true, nil
}

func badDepth(method string, allowed []string) error {
	return Bad("the header Depth must be " + strings.Join(allowed, " or ") + " for " + method)
}

var depths = map[string]int{"0": 0, "1": 1, "infinity": Infinite}

// DepthWord returns the value of the header Depth for depth.
func DepthWord(depth int) string {
	if depth < 0 {
		return "infinity"
	}
	return strconv.Itoa(depth)
}

// ParseOverwrite parses the header Overwrite (RFC 4918 §10.6).
func ParseOverwrite(values []string) (bool, error) {
	switch {
	case len(values) == 0, strings.EqualFold(values[0], "T"):
		return true, nil
	case strings.EqualFold(values[0], "F"):
		return false, nil
	}
	return false, Bad("the header Overwrite must be T or F")
}
