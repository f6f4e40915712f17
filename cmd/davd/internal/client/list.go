package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/davd/davd/dav/davclient"
)

// List writes the members of the collection ref, sorted by name, or the name of the file ref.
func (s *Session) List(ctx context.Context, ref *url.URL) error {
	path := ref.EscapedPath()
	what := "list " + shownPath(path)
	self, members, err := s.members(s.watched(ctx), path)
	if err != nil {
		return s.Failed(what, err)
	}
	s.Meter.Clear()
	if !self.Collection && len(members) == 0 && s.failed == 0 {
		self.Name, _ = url.PathUnescape(lastSegment(path))
		members = append(members, self)
	}
	width := 0
	for _, member := range members {
		width = max(width, len(sizeOf(member)))
	}
	for _, member := range members {
		if s.Long {
			fmt.Fprintf(s.Out, "%*s  %s  ", width, sizeOf(member), timeOf(member))
		}
		fmt.Fprintln(s.Out, nameOf(member))
	}
	return s.ended(what, nil)
}

// members returns the resource at the escaped path and its members, sorted by name. Members
// that the server could not examine are written to Err.
func (s *Session) members(ctx context.Context, path string) (self davclient.Resource, members []davclient.Resource, err error) {
	for resource, err := range s.Client.List(ctx, path, davclient.Depth1) {
		wrong, isMember := errors.AsType[*davclient.MemberError](err)
		switch {
		case isMember:
			s.memberFailed(wrong.Status, shownHref(wrong.Href))
		case err != nil:
			return self, nil, err
		case resource.Name == "":
			self = resource
		case !strings.Contains(resource.Name, "/"): // skip members of members, which were not asked for
			members = append(members, resource)
		}
	}
	slices.SortFunc(members, func(a, b davclient.Resource) int { return strings.Compare(a.Name, b.Name) })
	return self, members, nil
}

// nameOf returns the name of a member as shown. A collection gets a slash at its end.
func nameOf(r davclient.Resource) string {
	if r.Collection {
		return Shown(r.Name) + "/"
	}
	return Shown(r.Name)
}

func sizeOf(r davclient.Resource) string {
	if r.Collection || r.Size < 0 {
		return "-"
	}
	return strconv.FormatInt(r.Size, 10)
}

// utcTime is the format of RFC 3339, to the second, the resolution of getlastmodified.
const utcTime = "2006-01-02T15:04:05Z"

func timeOf(r davclient.Resource) string {
	if r.Modified.IsZero() {
		return fmt.Sprintf("%-*s", len(utcTime), "-")
	}
	return r.Modified.UTC().Format(utcTime)
}
