package dav

import (
	"net/http"
	"slices"
)

var errIfDoesNotHold = &statusError{status: http.StatusPreconditionFailed, reason: "the header If does not hold"}

// ifOf parses the header If of r; nil when there is none.
func ifOf(r *http.Request) (ifHeader, error) {
	values := r.Header["If"]
	if len(values) == 0 {
		return nil, nil
	}
	return parseIf(values[0]) // there is but one: checkSingle
}

// evaluateIf evaluates the header If. A list without a tag is about the request
// URI (RFC 4918 §10.4.3); clients also send the token of another resource that
// the request changes, one of names, so, in a list of nothing but tokens.
func (h *Handler) evaluateIf(r *http.Request, header ifHeader, names ...string) error {
	if len(header) == 0 {
		return nil
	}
	requested, err := h.resource(r.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	for _, list := range header {
		about := []string{requested}
		if !slices.ContainsFunc(list.conditions, func(c ifCondition) bool { return c.not || c.etag != "" }) {
			about = append(about, names...)
		}
		if list.tag != "" {
			tagged, ok := h.tagged(r, list.tag)
			if !ok {
				continue
			}
			about = []string{tagged}
		}
		for _, name := range about {
			holds, err := h.listHolds(r, list, name)
			if holds || err != nil {
				return err
			}
		}
	}
	return errIfDoesNotHold
}

// tagged returns the storage name of a Resource-Tag of the header If.
func (h *Handler) tagged(r *http.Request, tag string) (name string, ok bool) {
	u, err := parseReference(tag)
	if err != nil || (u.Host != "" && !h.servesHost(r, u)) {
		return "", false
	}
	name, err = h.resource(r.Context(), u.Path)
	return name, err == nil
}

func (h *Handler) listHolds(r *http.Request, list ifList, name string) (bool, error) {
	for _, c := range list.conditions {
		var holds bool
		var err error
		if c.etag != "" {
			info, statErr := h.FileSystem.Stat(r.Context(), name)
			holds = statErr == nil && entityTag(r.Context(), info) == c.etag
		} else if holds, err = h.locks().covers(r.Context(), c.token, name); err != nil {
			return false, err
		}
		if holds == c.not {
			return false, nil
		}
	}
	return true, nil
}

// tokens returns the state tokens that the client submits by naming them (RFC
// 4918 §10.4.1).
func (header ifHeader) tokens() []string {
	var tokens []string
	for _, list := range header {
		for _, c := range list.conditions {
			if c.token != "" {
				tokens = append(tokens, c.token)
			}
		}
	}
	return tokens
}
