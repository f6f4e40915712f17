package dav

import (
	"context"
	"net/http"
	"slices"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
)

var errIfDoesNotHold = &status.Error{Status: http.StatusPreconditionFailed, Reason: "the condition in the header If is not met"}

// evaluateIf evaluates the header If. A list without a tag applies to the request URI
// (RFC 4918 §10.4.3). Some clients put the token of another resource that the request
// changes there, so a list that consists only of tokens may hold for any of places.
func (h *Handler) evaluateIf(r *request, header field.If, places ...place.Place) error {
	if len(header) == 0 {
		return nil
	}
	name, err := h.resource(r.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	requested, err := h.names().Place(r.Context(), name, true)
	if err != nil {
		return err
	}
	for _, list := range header {
		about := []place.Place{requested}
		if !slices.ContainsFunc(list.Conditions, func(c field.IfCondition) bool { return c.Not || c.ETag != "" }) {
			about = append(about, places...)
		}
		if list.Tag != "" {
			tagged, ok := h.tagged(r, list.Tag)
			if !ok {
				continue
			}
			about = []place.Place{tagged}
		}
		for _, p := range about {
			holds, err := h.listHolds(r, list, p)
			if holds || err != nil {
				return err
			}
		}
	}
	return errIfDoesNotHold
}

// tagged returns the place that a Resource-Tag of the header If names.
func (h *Handler) tagged(r *request, tag string) (p place.Place, ok bool) {
	u, err := field.ParseReference(tag)
	if err != nil || (u.Host != "" && !h.servesHost(r.Request, u)) {
		return place.Place{}, false
	}
	name, err := h.resource(r.Context(), u.Path)
	if err == nil {
		p, err = h.names().Place(r.Context(), name, true)
	}
	return p, err == nil
}

func (h *Handler) listHolds(r *request, list field.IfList, p place.Place) (bool, error) {
	for _, c := range list.Conditions {
		var holds bool
		var err error
		if c.ETag != "" {
			info, statErr := h.FileSystem.Stat(r.Context(), p.Asked)
			holds = statErr == nil && place.EntityTag(r.Context(), info) == c.ETag
		} else if holds, err = h.protects(r.Context(), c.Token, p); err != nil {
			return false, err
		}
		if holds == c.Not {
			return false, nil
		}
	}
	return true, nil
}

// protects reports whether the lock of token protects p, or a link that leads to it.
func (h *Handler) protects(ctx context.Context, token string, p place.Place) (bool, error) {
	key, err := h.protected(ctx, token, p)
	if err != nil {
		return false, err
	}
	return h.locks().Covers(ctx, token, key)
}

// protected returns the key that the lock of token protects: that of p, or of a link
// that leads there. If it protects neither, protected returns the key of p.
func (h *Handler) protected(ctx context.Context, token string, p place.Place) (string, error) {
	for _, key := range p.Links {
		if covers, err := h.locks().Covers(ctx, token, key); covers || err != nil {
			return key, err
		}
	}
	return p.Key, nil
}
