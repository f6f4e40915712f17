package proxy

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// maxToken limits what an hrefReader has in memory, in bytes: the longest text between two
// tags that it can pass on.
const maxToken = 4 << 20

// maxDepth limits the nesting of elements.
const maxDepth = 1000

// hrefReader is an XML document with the content of each DAV:href replaced. Everything else
// stays as it is, byte for byte. If the document is not well-formed XML in UTF-8, it stays
// as it is from there on.
type hrefReader struct {
	translate func(href string) string
	in        *recorder
	xml       *xml.Decoder
	out       bytes.Buffer
	depth     int // of elements
	// inHref is the nesting in a DAV:href, 0 outside.
	inHref   int
	verbatim bool
	err      error
}

// newHrefReader returns the document in with each href translated.
func newHrefReader(in io.Reader, translate func(href string) string) io.Reader {
	rec := &recorder{in: in, chunk: make([]byte, 0, 32<<10)}
	return &hrefReader{translate: translate, in: rec, xml: xml.NewDecoder(rec)}
}

func (h *hrefReader) Read(p []byte) (int, error) {
	// The tokens that have arrived go out together.
	for h.err == nil && (h.out.Len() == 0 || h.out.Len() < len(p) && !h.verbatim && h.in.at < len(h.in.chunk)) {
		if h.verbatim {
			n, err := h.in.rest(p)
			h.err = err
			return n, err
		}
		h.step()
	}
	if h.out.Len() > 0 {
		return h.out.Read(p)
	}
	return 0, h.err
}

// step copies one token.
func (h *hrefReader) step() {
	token, err := h.xml.Token()
	raw := h.in.take(h.xml.InputOffset())
	switch t := token.(type) {
	case xml.StartElement:
		if h.depth++; h.depth > maxDepth {
			h.verbatim = true // the decoder remembers every open element
		}
		if h.inHref > 0 || t.Name.Space == "DAV:" && t.Name.Local == "href" {
			h.inHref++
		}
	case xml.EndElement:
		h.depth--
		h.inHref = max(h.inHref-1, 0)
	case xml.CharData:
		if h.inHref == 1 {
			raw = h.href(raw, string(t))
		}
	}
	h.out.Write(raw)
	if err != nil || h.verbatim {
		h.verbatim = true
		h.out.Write(h.in.takeAll())
	}
	if errors.Is(err, io.EOF) {
		h.err = io.EOF
	}
}

// href returns the escaped text of an href, with the white space around it.
func (h *hrefReader) href(raw []byte, text string) []byte {
	href := strings.TrimSpace(text)
	translated := h.translate(href)
	if translated == href || href == "" {
		return raw
	}
	before, after, _ := strings.Cut(text, href)
	var b bytes.Buffer
	b.WriteString(before)
	_ = xml.EscapeText(&b, []byte(translated)) // a Buffer does not fail
	b.WriteString(after)
	return b.Bytes()
}

// recorder is a reader that remembers what was read from it.
type recorder struct {
	in io.Reader
	// chunk[at:] was read from in, but not by the decoder yet.
	chunk []byte
	at    int
	err   error
	// past[taken:] is what the decoder has read and nobody has taken. start is its offset.
	past  []byte
	taken int
	start int64
}

// ReadByte implements io.ByteReader, so that the decoder reads no further than it must.
func (r *recorder) ReadByte() (byte, error) {
	if r.at == len(r.chunk) {
		if r.err != nil {
			return 0, r.err
		}
		if len(r.past)-r.taken > maxToken {
			return 0, errLongToken
		}
		n, err := r.in.Read(r.chunk[:cap(r.chunk)])
		r.chunk, r.at, r.err = r.chunk[:n], 0, err
		return r.ReadByte()
	}
	b := r.chunk[r.at]
	r.at++
	r.past = append(r.past, b)
	return b, nil
}

var errLongToken = errors.New("proxy: the XML has a very long text")

// Read implements io.Reader. The decoder calls ReadByte instead.
func (r *recorder) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// take returns what was read before offset. It is valid until the next call of ReadByte.
func (r *recorder) take(offset int64) []byte {
	n := int(offset - r.start)
	raw := r.past[r.taken : r.taken+n]
	r.taken, r.start = r.taken+n, offset
	if r.taken == len(r.past) {
		r.past, r.taken = r.past[:0], 0
	}
	return raw
}

// takeAll returns everything read so far.
func (r *recorder) takeAll() []byte { return r.take(r.start + int64(len(r.past)-r.taken)) }

// rest reads what the decoder has not read.
func (r *recorder) rest(p []byte) (int, error) {
	if r.at < len(r.chunk) {
		n := copy(p, r.chunk[r.at:])
		r.at += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.in.Read(p)
}
