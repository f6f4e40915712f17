package dav

import (
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
)

// preconditions evaluates If-Match, If-Unmodified-Since, If-None-Match and
// If-Modified-Since in the order of RFC 9110 §13.2.2. info describes the resource, or
// is nil if it does not exist. confirm and conditions evaluate the header If.
//
// A GET of a collection never gets 304, because its index shows the sizes and times of
// the members, which can change while the entity tag stays the same. The tag is strong
// all the same: OmniFocus sends it in If-Match with MOVE and DELETE, where a weak tag
// would never match (RFC 9110 §13.1.1).
func preconditions(r *request, info fs.FileInfo) error {
	if !conditional(r) {
		return nil
	}
	var tag string
	if info != nil {
		tag = place.EntityTag(r.Context(), info)
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if values := r.Header.Values("If-Match"); len(values) > 0 {
		if !field.Matches(values, tag, field.StrongMatch) {
			return failedPrecondition("If-Match")
		}
	} else if since, ok := field.Time(r.Header["If-Unmodified-Since"]); ok && (info == nil || modifiedAfter(info, since)) {
		return failedPrecondition("If-Unmodified-Since")
	}
	if values := r.Header.Values("If-None-Match"); len(values) > 0 {
		switch {
		case !field.Matches(values, tag, field.WeakMatch):
		case read && info.IsDir():
			// The index may have changed while the tag stayed the same.
		case read:
			return errNotModified
		default:
			return failedPrecondition("If-None-Match")
		}
	} else if since, ok := field.Time(r.Header["If-Modified-Since"]); ok && read && info != nil && !info.IsDir() && !modifiedAfter(info, since) {
		return errNotModified
	}
	return nil
}

var errNotModified = status.New(http.StatusNotModified, "not modified")

func failedPrecondition(header string) error {
	return status.New(http.StatusPreconditionFailed, "the condition in the header "+header+" is not met")
}

// rangeHolds evaluates If-Range (RFC 9110 §13.1.5) for a file with the entity tag tag.
// If it returns false, the client gets the whole file. A date matches only if it is so
// old that the file can't have changed twice within its precision (§8.8.2.2).
func rangeHolds(r *request, tag string, info fs.FileInfo) bool {
	values := r.Header["If-Range"]
	switch {
	case len(values) == 0:
		return true
	case len(values) > 1:
		return false
	case field.IsEntityTag(values[0]):
		return field.StrongMatch(values[0], tag)
	}
	modified := info.ModTime().Truncate(time.Second)
	date, err := http.ParseTime(values[0])
	return err == nil && date.Equal(modified) && time.Since(modified) >= strongAfter
}

// strongAfter is how old a modification time must be to tell two versions apart. One
// second is too short: clocks of file systems lag, and some count in steps of two
// seconds.
const strongAfter = 2 * time.Second

// modifiedAfter compares with the precision of an HTTP date. It uses the time in the
// storage even if that is in the future, unlike Last-Modified: otherwise a 304 could
// hide a change.
func modifiedAfter(info fs.FileInfo, t time.Time) bool {
	return info.ModTime().Truncate(time.Second).After(t)
}

// conditions evaluates all conditions of a request that only reads, the header If and
// those of preconditions. info describes the resource.
func (r *request) conditions(info fs.FileInfo) error {
	header, err := r.conditionsIf()
	if err == nil {
		err = r.evaluateIf(header)
	}
	if err == nil {
		err = preconditions(r, info)
	}
	return err
}

// preconditionsOf is preconditions for a resource that may not exist.
func (r *request) preconditionsOf(name string) error {
	if !conditional(r) {
		return nil
	}
	info, err := r.h.names().Occupant(r.Context(), name)
	if err != nil {
		return fmt.Errorf("preconditions: %w", err)
	}
	return preconditions(r, info)
}

var conditionHeaders = [...]string{"If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"}

// conditional reports whether r has a header that preconditions evaluates.
func conditional(r *request) bool {
	for _, header := range conditionHeaders {
		if _, ok := r.Header[header]; ok {
			return true
		}
	}
	return false
}

var errIfDoesNotHold = status.New(http.StatusPreconditionFailed, "the condition in the header If is not met")

// evaluateIf evaluates the header If. A list without a tag applies to the request URI
// (RFC 4918 §10.4.3). Some clients put the token of another resource that the request
// changes there, so a list that consists only of tokens may hold for any of places.
func (r *request) evaluateIf(header field.If, places ...place.Place) error {
	if len(header) == 0 {
		return nil
	}
	name, err := r.h.resource(r.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	requested, err := r.h.names().Place(r.Context(), name, true)
	if err != nil {
		return err
	}
	for _, list := range header {
		about := []place.Place{requested}
		if !slices.ContainsFunc(list.Conditions, func(c field.IfCondition) bool { return c.Not || c.ETag != "" }) {
			about = append(about, places...)
		}
		if list.Tag != "" {
			tagged, ok := r.tagged(list.Tag)
			if !ok {
				continue
			}
			about = []place.Place{tagged}
		}
		for _, p := range about {
			holds, err := r.listHolds(list, p)
			if holds || err != nil {
				return err
			}
		}
	}
	return errIfDoesNotHold
}

// tagged returns the place that a Resource-Tag of the header If names.
func (r *request) tagged(tag string) (p place.Place, ok bool) {
	u, err := field.ParseReference(tag)
	if err != nil || (u.Host != "" && !r.h.self().Serves(r.Request, u)) {
		return place.Place{}, false
	}
	name, err := r.h.resource(r.Context(), u.Path)
	if err == nil {
		p, err = r.h.names().Place(r.Context(), name, true)
	}
	return p, err == nil
}

func (r *request) listHolds(list field.IfList, p place.Place) (bool, error) {
	// A resource that the client may not see is like a missing one: it has no tag and no lock.
	hidden := r.h.allowed(r.Context(), p.Asked, 0, false) != nil
	for _, c := range list.Conditions {
		var holds bool
		var err error
		switch {
		case hidden:
		case c.ETag != "":
			info, statErr := r.h.FileSystem.Stat(r.Context(), p.Asked)
			holds = statErr == nil && place.EntityTag(r.Context(), info) == c.ETag
		default:
			if holds, err = r.protects(c.Token, p); err != nil {
				return false, err
			}
		}
		if holds == c.Not {
			return false, nil
		}
	}
	return true, nil
}

// protects reports whether the lock of token protects p, or a link that leads to it.
func (r *request) protects(token string, p place.Place) (bool, error) {
	key, err := r.protected(token, p)
	if err != nil {
		return false, err
	}
	return r.h.locks().Covers(r.Context(), token, key)
}

// protected returns the key that the lock of token protects: that of p, or of a link
// that leads there. If it protects neither, protected returns the key of p.
func (r *request) protected(token string, p place.Place) (string, error) {
	for _, key := range p.Links {
		if covers, err := r.h.locks().Covers(r.Context(), token, key); covers || err != nil {
			return key, err
		}
	}
	return p.Key, nil
}
