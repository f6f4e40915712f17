package davclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"
)

// Resource is a file or collection.
type Resource struct {
	// Href is a reference to it.
	Href string
	// Name is its path from what was listed, without escapes and without a slash
	// at the end; "" for itself. A slash inside of a name is "%2F".
	Name string
	// Collection tells it from a file.
	Collection bool
	// Size is a file's, in bytes, or Unknown.
	Size int64
	// Modified is zero where the server has not told.
	Modified time.Time
	// ETag and ContentType are "" where the server has not told.
	ETag, ContentType string
}

// Depth is how deep a listing goes (RFC 4918 §10.2).
type Depth string

// The depths of a listing. Many servers refuse DepthInfinity.
const (
	Depth0        Depth = "0"
	Depth1        Depth = "1"
	DepthInfinity Depth = "infinity"
)

// propfindBody asks for what a Resource has.
const propfindBody = `<?xml version="1.0" encoding="utf-8"?>` +
	`<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/><getcontenttype/></prop></propfind>`

// List lists ref and, as deep as depth says, its members, in the order in which
// the server does. They are read one by one as they come: a listing takes no
// more memory than one of them. The server answers until the loop ends.
//
// A member that the server could not look at comes with a [*MemberError], and
// the listing goes on. After any other error it ends.
func (c *Client) List(ctx context.Context, ref string, depth Depth) iter.Seq2[Resource, error] {
	return func(yield func(Resource, error) bool) {
		if err := c.list(ctx, ref, depth, yield); err != nil {
			yield(Resource{}, err)
		}
	}
}

func (c *Client) list(ctx context.Context, ref string, depth Depth, yield func(Resource, error) bool) error {
	header := http.Header{"Depth": {string(depth)}, "Content-Type": {`application/xml; charset="utf-8"`}}
	response, err := c.Do(ctx, "PROPFIND", ref, header, strings.NewReader(propfindBody))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	where := response.Request.URL
	switch {
	case response.StatusCode >= http.StatusMultipleChoices:
		return ResponseError(response)
	case response.StatusCode != http.StatusMultiStatus:
		return fmt.Errorf("PROPFIND %s: %w", where, errNoMultistatus)
	}
	names := relativeTo(where.EscapedPath())
	var refused error
	err = readMultistatus(response.Body, func(r *xmlResponse) bool {
		for _, href := range r.Hrefs {
			resource := r.resource(href)
			if resource.Name, refused = names.of(href); refused != nil {
				return false
			}
			if !yield(resource, r.failure(href)) {
				return false
			}
		}
		return true
	})
	if err = errors.Join(err, refused); err != nil {
		return fmt.Errorf("PROPFIND %s: %w", where, err)
	}
	return nil
}

// Stat returns what is at ref.
func (c *Client) Stat(ctx context.Context, ref string) (Resource, error) {
	for resource, err := range c.List(ctx, ref, Depth0) {
		return resource, err
	}
	return Resource{}, fmt.Errorf("PROPFIND %s: %w", ref, errNoMultistatus)
}

// resource returns what the element says of href.
func (r *xmlResponse) resource(href string) Resource {
	resource := Resource{Href: href, Size: Unknown}
	for _, propstat := range r.Propstats {
		if parseStatus(propstat.Status) != http.StatusOK {
			continue
		}
		prop := propstat.Prop
		resource.Collection = resource.Collection || prop.Collection != nil
		if size, ok := parseDigits(strings.TrimSpace(prop.Length)); ok {
			resource.Size = size
		}
		if modified, err := http.ParseTime(strings.TrimSpace(prop.Modified)); err == nil {
			resource.Modified = modified
		}
		if prop.ETag != "" {
			resource.ETag = strings.TrimSpace(prop.ETag)
		}
		if prop.Type != "" {
			resource.ContentType = strings.TrimSpace(prop.Type)
		}
	}
	return resource
}

// failure returns a *MemberError, or nil.
func (r *xmlResponse) failure(href string) error {
	if status := r.status(); status != http.StatusOK {
		return &MemberError{Href: href, Status: status, Condition: r.Error.name()}
	}
	return nil
}
