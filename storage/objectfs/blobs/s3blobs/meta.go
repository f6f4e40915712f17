package s3blobs

import (
	"net/url"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
)

const (
	volumeField   = "davd-volume"
	nameField     = "davd-name"
	modifiedField = "davd-modified"
)

// maxName is the greatest length of an encoded name in bytes. All user metadata of an object
// together has at most 2 KB.
const maxName = 1700

// encodeMeta returns user metadata, which can't contain anything but ASCII.
func encodeMeta(meta blobs.Meta) map[string]string {
	fields := map[string]string{}
	if meta.Volume != "" {
		fields[volumeField] = meta.Volume
	}
	if meta.Name != "" {
		blobs.Shorten(meta.Name, func(name string) bool {
			fields[nameField] = (&url.URL{Path: name}).EscapedPath()
			return len(fields[nameField]) <= maxName
		})
	}
	if !meta.Modified.IsZero() {
		fields[modifiedField] = meta.Modified.UTC().Format(time.RFC3339Nano)
	}
	return fields
}

// decodeMeta returns the Meta in user metadata. Fields that davd hasn't written are ignored.
func decodeMeta(fields map[string]string) blobs.Meta {
	meta := blobs.Meta{Volume: fields[volumeField]}
	if name, err := url.PathUnescape(fields[nameField]); err == nil {
		meta.Name = name
	}
	if modified, err := time.Parse(time.RFC3339Nano, fields[modifiedField]); err == nil {
		meta.Modified = modified
	}
	return meta
}
