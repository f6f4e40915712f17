package dav

import (
	"bufio"
	"fmt"
	"io"
)

// xmlSource hands a body to xml.Decoder byte by byte, so that the decoder has
// never read further than its InputOffset and one.
type xmlSource struct {
	*bufio.Reader
	read int64 // bytes
	last byte
	// token is where the current token begins; tag: it is a start or end tag.
	token int64
	tag   bool
	// recorded are the bytes that were read since record, if recording.
	recording bool
	recorded  []byte
}

func newXMLSource(r io.Reader) *xmlSource { return &xmlSource{Reader: bufio.NewReader(r)} }

// begin says that a token begins at offset, of which a byte may have been read.
func (s *xmlSource) begin(offset int64) { s.token, s.tag = offset, false }

// ReadByte implements io.ByteReader. It ends a tag that is too long before
// xml.Decoder has split it up.
func (s *xmlSource) ReadByte() (byte, error) {
	c, err := s.Reader.ReadByte()
	if err != nil {
		return c, err
	}
	switch s.read - s.token {
	case 1:
		s.tag = s.last == '<' && c != '!'
	case maxXMLTag:
		if s.tag {
			return 0, fmt.Errorf("a tag is longer than %d bytes", maxXMLTag)
		}
	}
	s.read++
	s.last = c
	if s.recording {
		s.recorded = append(s.recorded, c)
	}
	return c, nil
}

// record keeps what comes after offset, of which a byte may have been read.
func (s *xmlSource) record(offset int64) {
	s.recording = true
	s.recorded = s.recorded[:0]
	if s.read > offset {
		s.recorded = append(s.recorded, s.last)
	}
}
