package davclient

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// xmlResponse is a response element (RFC 4918 §14.24).
type xmlResponse struct {
	Hrefs     []string      `xml:"DAV: href"`
	Status    string        `xml:"DAV: status"`
	Propstats []xmlPropstat `xml:"DAV: propstat"`
	Error     *xmlError     `xml:"DAV: error"`
}

type xmlPropstat struct {
	Status string   `xml:"DAV: status"`
	Prop   xmlProps `xml:"DAV: prop"`
}

// xmlProps are the properties that a listing asks for.
type xmlProps struct {
	Collection *struct{} `xml:"DAV: resourcetype>collection"`
	Length     string    `xml:"DAV: getcontentlength"`
	Modified   string    `xml:"DAV: getlastmodified"`
	ETag       string    `xml:"DAV: getetag"`
	Type       string    `xml:"DAV: getcontenttype"`
}

// xmlError is an error element (RFC 4918 §14.5).
type xmlError struct {
	XMLName    xml.Name `xml:"DAV: error"`
	Conditions []struct {
		XMLName xml.Name
	} `xml:",any"`
}

// name returns the name of the first condition, or "".
func (e *xmlError) name() string {
	if e == nil || len(e.Conditions) == 0 {
		return ""
	}
	return printable(e.Conditions[0].XMLName.Local)
}

// status returns the status of the response element. An element with properties
// instead of a status counts as 200.
func (r *xmlResponse) status() int {
	if r.Status == "" && len(r.Propstats) > 0 {
		return 200
	}
	return parseStatus(r.Status)
}

// parseStatus returns the code of a status line (RFC 4918 §14.28), or 0 if the line
// is malformed.
func parseStatus(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || status < 100 || status > 599 {
		return 0
	}
	return status
}

// maxElement limits the size of one response element, in bytes.
const maxElement = 1 << 20

var (
	errTooLong       = fmt.Errorf("an element of the multi-status is longer than %d bytes", maxElement)
	errNoMultistatus = errors.New("the server's answer is not a multi-status")
)

// budget is a reader that fails after left bytes. It bounds memory, because the XML
// decoder holds a whole text or attribute. readMultistatus refills it for each
// element.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// readMultistatus calls each for the response elements of a multi-status in turn,
// until each returns false.
func readMultistatus(body io.Reader, each func(*xmlResponse) bool) error {
	in := &budget{r: body, left: maxElement}
	decoder := xml.NewDecoder(in)
	root := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && !root {
			return errNoMultistatus
		}
		if err != nil {
			return malformed(err)
		}
		switch element := token.(type) {
		case xml.EndElement:
			return nil // the root element ends
		case xml.StartElement:
			in.left = maxElement
			switch {
			case !root && element.Name == xml.Name{Space: "DAV:", Local: "multistatus"}:
				root = true
			case !root:
				return errNoMultistatus
			case element.Name != xml.Name{Space: "DAV:", Local: "response"}:
				if err := decoder.Skip(); err != nil {
					return malformed(err)
				}
			default:
				var response xmlResponse
				if err := decoder.DecodeElement(&response, &element); err != nil {
					return malformed(err)
				}
				if !each(&response) {
					return nil
				}
			}
		}
	}
}

func malformed(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("can't read the multi-status: %w", err)
}
