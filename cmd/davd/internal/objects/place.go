// Package objects opens the storages whose content is in objects and whose names are in a
// database: a bucket of S3, or a directory of objects.
package objects

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
)

// The beginnings of the text of a [Place].
const (
	directoryPrefix = "blobs:"
	bucketPrefix    = "s3://"
)

// Place says where objects are. The zero value is no place.
type Place struct {
	// Dir is a directory with objects and, unless several davd share the state, the database of
	// their names; "" for a bucket.
	Dir string
	// S3 is a bucket, unless Dir is set.
	S3 s3blobs.Options
	// Inline is the largest content in bytes that is stored in the database, not in an object.
	Inline int
	// text is the text that was parsed.
	text string
}

// Is reports whether text begins as a [Place] does.
func Is(text string) bool {
	return strings.HasPrefix(text, directoryPrefix) || strings.HasPrefix(text, bucketPrefix)
}

// Parse parses "blobs:DIR" or "s3://BUCKET/PREFIX?endpoint=URL".
func Parse(text string) (Place, error) {
	p := Place{text: text}
	if dir, ok := strings.CutPrefix(text, directoryPrefix); ok {
		if p.Dir = dir; dir == "" {
			return Place{}, errors.New("the directory is missing: write blobs:DIR")
		}
		return p, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "s3" || u.Host == "":
		return Place{}, errors.New("it is no URL of a bucket: write s3://BUCKET/PREFIX?endpoint=URL, or blobs:DIR")
	case u.User != nil:
		return Place{}, errors.New("the URL has credentials, which others can see: remove them, and use the environment or ~/.aws/credentials")
	}
	p.S3.Bucket, p.S3.Prefix = u.Host, strings.TrimPrefix(u.Path, "/")
	if p.S3.Prefix != "" && !strings.HasSuffix(p.S3.Prefix, "/") {
		p.S3.Prefix += "/"
	}
	return p, p.options(u)
}

// options reads the parameters of the URL of a bucket.
func (p *Place) options(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("its parameters can't be read: write ?endpoint=URL&region=NAME")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(name)
		switch name {
		case "endpoint":
			err = p.endpoint(value)
		case "region":
			p.S3.Region = value
		case "profile":
			p.S3.Profile = value
		case "credentials-file":
			p.S3.CredentialsFile = value
		case "hosts":
			p.S3.VirtualHosts, err = strconv.ParseBool(value)
		case "inline":
			p.Inline, err = strconv.Atoi(value)
			if err == nil && (p.Inline < 0 || p.Inline > maxInline) {
				err = fmt.Errorf("write a number of bytes up to %d", maxInline)
			}
		default:
			err = errors.New("unknown parameter: endpoint, region, profile, credentials-file, hosts and inline are known")
		}
		if err != nil {
			return fmt.Errorf("%s=%s: %w", name, value, err)
		}
	}
	return nil
}

// maxInline is the largest content that may be in the database, in bytes.
const maxInline = 8 << 10

func (p *Place) endpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("write the URL of the server, such as https://s3.example.net")
	}
	p.S3.Endpoint = text
	return nil
}

// Resolve returns text with dir in front of a relative path.
func Resolve(dir, text string) string {
	if rest, ok := strings.CutPrefix(text, directoryPrefix); ok {
		return directoryPrefix + setting.Join(dir, rest)
	}
	return text
}

// String returns the text of the place. It has no credentials.
func (p Place) String() string { return p.text }

// Identity returns the text that identifies the place, for the name of its state.
func (p Place) Identity() (string, error) {
	if p.Dir == "" {
		return "s3://" + p.S3.Bucket + "/" + p.S3.Prefix + "?endpoint=" + p.S3.Endpoint, nil
	}
	dir, err := filepath.Abs(p.Dir)
	return directoryPrefix + dir, err
}
