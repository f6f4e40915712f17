package s3blobs

import (
	"net/url"
	"strings"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// metaField is the only field of user metadata: servers that keep objects in files write each field by
// itself.
const metaField = "davd"

// maxName is the greatest length of an encoded name in bytes. All user metadata of an object
// together has at most 2 KB.
const maxName = 1700

// encodeMeta returns user metadata, which can't contain anything but ASCII: words such as
// "name=/a%20b", separated by spaces.
func encodeMeta(meta blobs.Meta) map[string]string {
	var words []string
	if meta.Volume != "" {
		words = append(words, "volume="+meta.Volume)
	}
	if !meta.Modified.IsZero() {
		words = append(words, "modified="+meta.Modified.UTC().Format(time.RFC3339Nano))
	}
	if meta.Name != "" {
		encoded := ""
		blobs.Shorten(meta.Name, func(name string) bool {
			encoded = (&url.URL{Path: name}).EscapedPath()
			return len(encoded) <= maxName
		})
		words = append(words, "name="+encoded)
	}
	if len(words) == 0 {
		return nil
	}
	return map[string]string{metaField: strings.Join(words, " ")}
}

// decodeMeta returns the Meta in user metadata. What davd hasn't written is ignored.
func decodeMeta(fields map[string]string) (meta blobs.Meta) {
	for word := range strings.FieldsSeq(fields[metaField]) {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "volume":
			meta.Volume = value
		case "modified":
			if modified, err := time.Parse(time.RFC3339Nano, value); err == nil {
				meta.Modified = modified
			}
		case "name":
			if name, err := url.PathUnescape(value); err == nil {
				meta.Name = name
			}
		}
	}
	return meta
}
