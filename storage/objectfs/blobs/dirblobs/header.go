package dirblobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// headerSize is the length of a header in bytes: a whole page, so that contents are aligned.
const headerSize = 4096

// magic starts each header. The rest is JSON, filled up with spaces, and a line feed.
const magic = "davd object 1\n"

var errHeader = errors.New("the file is no object of davd, or is damaged")

type header struct {
	Volume   string     `json:"volume"`
	Name     string     `json:"name"`
	Modified *time.Time `json:"modified,omitempty"`
}

// encodeHeader returns the header of an object. A long name is shortened.
func encodeHeader(meta blobs.Meta) ([]byte, error) {
	h := header{Volume: meta.Volume}
	if !meta.Modified.IsZero() {
		utc := meta.Modified.UTC()
		h.Modified = &utc
	}
	var text []byte
	var err error
	_ = blobs.Shorten(meta.Name, func(name string) bool {
		h.Name = name
		text, err = json.Marshal(h)
		return err != nil || len(magic)+len(text) < headerSize
	})
	if err != nil {
		return nil, err
	}
	if len(magic)+len(text) >= headerSize {
		return nil, errors.New("the id of the volume is too long")
	}
	encoded := bytes.Repeat([]byte{' '}, headerSize)
	copy(encoded, magic)
	copy(encoded[len(magic):], text)
	encoded[headerSize-1] = '\n'
	return encoded, nil
}

// readHeader reads the header of an object.
func readHeader(r io.ReaderAt) (blobs.Meta, error) {
	encoded := make([]byte, headerSize)
	if _, err := r.ReadAt(encoded, 0); errors.Is(err, io.EOF) {
		return blobs.Meta{}, errHeader
	} else if err != nil {
		return blobs.Meta{}, err
	}
	text, ok := bytes.CutPrefix(encoded, []byte(magic))
	var h header
	if !ok || json.Unmarshal(text, &h) != nil {
		return blobs.Meta{}, errHeader
	}
	meta := blobs.Meta{Volume: h.Volume, Name: h.Name}
	if h.Modified != nil {
		meta.Modified = *h.Modified
	}
	return meta, nil
}
