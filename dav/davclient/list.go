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
	// Href is the resource's reference as the server wrote it.
	Href string
	// Name is the resource's path relative to the listed resource, unescaped and
	// without a final slash; "" for the listed resource. A slash within a segment
	// is written "%2F".
	Name string
	// Collection is true for a collection, false for a file.
	Collection bool
	// Size is the size of a file in bytes, or Unknown.
	Size int64
	// Modified is zero if the server did not send it.
	Modified time.Time
	// ETag and ContentType are "" if the server did not send them.
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

// propfindBody asks for the properties of a Resource.
const propfindBody = `<?xml version="1.0" encoding="utf-8"?>` +
	`<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/><getcontenttype/></prop></propfind>`

// List lists ref and its members down to depth, in the server's order. It reads
// them one by one as they arrive and holds only one in memory. The response stays
// open until the loop ends.
//
// A member that the server could not read comes with a [*MemberError], and the
// listing continues. Any other error ends the listing.
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
			var failure error
			if status := r.status(); status != http.StatusOK {
				failure = &MemberError{Href: href, Status: status, Condition: r.Error.name()}
			}
			if !yield(resource, failure) {
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

// Stat returns the resource at ref.
func (c *Client) Stat(ctx context.Context, ref string) (Resource, error) {
	for resource, err := range c.List(ctx, ref, Depth0) {
		return resource, err
	}
	return Resource{}, fmt.Errorf("PROPFIND %s: %w", ref, errNoMultistatus)
}

// resource returns the resource that r describes, with the reference href.
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
