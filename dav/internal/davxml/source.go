package davxml

import (
	"bufio"
	"fmt"
	"io"
)

// xmlSource passes a body to xml.Decoder byte by byte, so that the decoder is never more
// than one byte ahead of its InputOffset.
type xmlSource struct {
	*bufio.Reader
	read int64 // number of bytes
	last byte
	// token is the offset of the current token, whose first byte may have been read
	// already. tag says whether it is a start or end tag.
	token int64
	tag   bool
	// recorded has the bytes read since record, if recording.
	recording bool
	recorded  []byte
}

func newXMLSource(r io.Reader) *xmlSource { return &xmlSource{Reader: bufio.NewReader(r)} }

// ReadByte implements io.ByteReader. It fails if a tag is too long, before xml.Decoder
// parses it.
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

// record starts recording at offset. The byte there may have been read already.
func (s *xmlSource) record(offset int64) {
	s.recording = true
	s.recorded = s.recorded[:0]
	if s.read > offset {
		s.recorded = append(s.recorded, s.last)
	}
}
