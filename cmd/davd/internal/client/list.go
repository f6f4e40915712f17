package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/cmd/davd/internal/client/terminal"
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
	if s.JSON {
		err = writeMembers(s.Out, members)
	} else {
		s.table(members)
	}
	return s.ended(what, err)
}

// table writes a line for each member.
func (s *Session) table(members []davclient.Resource) {
	width := 0
	for _, member := range members {
		width = max(width, len(s.sizeOf(member)))
	}
	for _, member := range members {
		if s.Long || s.Human {
			fmt.Fprintf(s.Out, "%*s  %s  ", width, s.sizeOf(member), timeOf(member))
		}
		fmt.Fprintln(s.Out, s.nameOf(member))
	}
}

// memberJSON is a member in the output of --json.
type memberJSON struct {
	Name       string `json:"name"`
	Collection bool   `json:"collection"`
	// Size is in bytes. It is nil for a collection, or if the server did not send it.
	Size     *int64     `json:"size"`
	Modified *time.Time `json:"modified"`
	ETag     string     `json:"etag,omitempty"`
	Type     string     `json:"type,omitempty"`
}

func writeMembers(w io.Writer, members []davclient.Resource) error {
	rows := make([]memberJSON, len(members))
	for i, m := range members {
		rows[i] = memberJSON{Name: m.Name, Collection: m.Collection, ETag: m.ETag, Type: m.ContentType}
		if !m.Collection && m.Size >= 0 {
			rows[i].Size = &m.Size
		}
		if !m.Modified.IsZero() {
			modified := m.Modified.UTC()
			rows[i].Modified = &modified
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
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
func (s *Session) nameOf(r davclient.Resource) string {
	switch {
	case r.Collection && s.Colour:
		return terminal.Bold(terminal.Blue, Shown(r.Name)) + "/"
	case r.Collection:
		return Shown(r.Name) + "/"
	}
	return Shown(r.Name)
}

func (s *Session) sizeOf(r davclient.Resource) string {
	switch {
	case r.Collection || r.Size < 0:
		return "-"
	case s.Human:
		return meter.Size(r.Size)
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
