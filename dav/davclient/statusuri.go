package davclient

import (
	"errors"
	"strconv"
	"strings"
)

// MemberStatus is the outcome for one member.
type MemberStatus struct {
	// URI is the member's reference as the server wrote it.
	URI string
	// Status is an HTTP status from 100 to 599.
	Status int
}

// maxStatuses limits the members in the headers Status-URI of one response.
const maxStatuses = 256

var errStatusURI = errors.New("davclient: malformed header Status-URI")

// ParseStatusURI parses the values of the headers Status-URI of one response, in
// the form of RFC 2518 §9.7 or the comma-separated form of
// draft-wright-http-progress-02. It returns at most 256 members. If a value is
// malformed, it returns an error and the members before that point.
func ParseStatusURI(values []string) ([]MemberStatus, error) {
	var list []MemberStatus
	for _, value := range values {
		if len(value) > maxHeaderValue {
			return list, errStatusURI
		}
		rest := strings.TrimLeft(value, " \t,")
		for rest != "" {
			one, after, ok := cutStatus(rest)
			if !ok || len(list) == maxStatuses {
				return list, errStatusURI
			}
			list = append(list, one)
			// The draft's list has commas; RFC 2518 has none.
			rest = strings.TrimLeft(after, " \t,")
		}
	}
	return list, nil
}

// cutStatus cuts an element such as "507 <URI>" off the front of s.
func cutStatus(s string) (one MemberStatus, rest string, ok bool) {
	digits, rest, found := strings.Cut(s, "<")
	uri, rest, closed := strings.Cut(rest, ">")
	digits = strings.Trim(digits, " \t")
	status, err := strconv.Atoi(digits)
	if !found || !closed || uri == "" || err != nil || len(digits) != 3 || status < 100 || status > 599 {
		return MemberStatus{}, "", false
	}
	return MemberStatus{URI: uri, Status: status}, rest, true
}
