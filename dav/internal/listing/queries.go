package listing

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/davd/davd/dav/internal/davxml"
)

// Limits of a Queries. With them it takes at most about 1 MiB, if all bodies
// consist of many short names.
const (
	maxKnownPropfinds = 64
	MaxKnownBody      = 2 << 10 // bytes
)

// Queries caches the meaning of PROPFIND bodies. A client sends the same few
// bodies again and again, and parsing one costs more than answering it for a file. The
// meaning of a body depends on nothing but its bytes, so the cache can't be stale. Only
// well-formed bodies are kept.
type Queries struct {
	// known is replaced and never changed. Requests share its queries, so those must not be
	// changed either.
	known atomic.Pointer[map[string]*Query]
}

var shortBodies = sync.Pool{New: func() any { return new([MaxKnownBody]byte) }}

// Parse parses a body that xmlBody has returned.
func (k *Queries) Parse(body io.Reader) (*Query, error) {
	buf := shortBodies.Get().(*[MaxKnownBody]byte) //nolint:forcetypeassert // nothing else is in it
	defer shortBodies.Put(buf)
	content, whole := readShort(body, buf[:])
	switch {
	case !whole:
		request, err := davxml.ParsePropfind(io.MultiReader(bytes.NewReader(content), body))
		return newQuery(request), err
	case len(content) == 0:
		return allpropQuery, nil
	}
	known := k.known.Load()
	if known != nil {
		if query, found := (*known)[string(content)]; found {
			return query, nil
		}
	}
	request, err := davxml.ParsePropfind(bytes.NewReader(content))
	request.Props = slices.Clip(request.Props)
	query := newQuery(request)
	if err == nil {
		k.keep(known, string(content), query)
	}
	return query, err
}

// allpropQuery is the query of a request without a body (RFC 4918 §9.1).
var allpropQuery = newQuery(davxml.Propfind{Allprop: true})

// readShort reads body into buf, and reports whether it read all of it. An error of
// body will be returned again by the next read.
func readShort(body io.Reader, buf []byte) (content []byte, whole bool) {
	for n := 0; ; {
		if n == len(buf) {
			return buf, false
		}
		more, err := body.Read(buf[n:])
		n += more
		if err != nil {
			return buf[:n], errors.Is(err, io.EOF)
		}
	}
}

// keep adds a body to known. If that is full, keep drops all others; those still in use
// will be added again.
func (k *Queries) keep(known *map[string]*Query, content string, query *Query) {
	more := map[string]*Query{content: query}
	if known != nil && len(*known) < maxKnownPropfinds {
		maps.Copy(more, *known)
	}
	k.known.CompareAndSwap(known, &more) // or another request has added its own body
}
