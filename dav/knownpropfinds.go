package dav

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Bounds of what a knownPropfinds keeps: about 1 MiB, should all bodies be of
// many short names.
const (
	maxKnownPropfinds = 64
	maxKnownBody      = 2 << 10 // bytes
)

// knownPropfinds remembers what the bodies of PROPFINDs mean: a client sends the
// same few again and again, and to parse one costs more than to answer it for a
// file. What a body means depends on its bytes alone, so nothing can be stale;
// only what is well-formed is kept.
type knownPropfinds struct {
	// known is replaced, not changed. What is in it is shared between requests
	// and must not be changed either.
	known atomic.Pointer[map[string]*propfindQuery]
}

var shortBodies = sync.Pool{New: func() any { return new([maxKnownBody]byte) }}

// read reads a body that xmlBody has returned.
func (k *knownPropfinds) read(body io.Reader) (*propfindQuery, error) {
	buf := shortBodies.Get().(*[maxKnownBody]byte) //nolint:forcetypeassert // nothing else is in it
	defer shortBodies.Put(buf)
	content, whole := readShort(body, buf[:])
	switch {
	case !whole:
		request, err := parsePropfind(io.MultiReader(bytes.NewReader(content), body))
		return newPropfindQuery(request), err
	case len(content) == 0:
		return allpropQuery, nil
	}
	known := k.known.Load()
	if known != nil {
		if query, found := (*known)[string(content)]; found {
			return query, nil
		}
	}
	request, err := parsePropfind(bytes.NewReader(content))
	request.props = slices.Clip(request.props)
	query := newPropfindQuery(request)
	if err == nil {
		k.keep(known, string(content), query)
	}
	return query, err
}

// allpropQuery is that of no body (RFC 4918 §9.1).
var allpropQuery = newPropfindQuery(propfindRequest{allprop: true})

// readShort reads body into buf, and reports whether that was all of it. An error
// of body comes again when it is read on.
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

// keep adds a body to known. When that is full, all others are forgotten: those
// that are still in use come again.
func (k *knownPropfinds) keep(known *map[string]*propfindQuery, content string, query *propfindQuery) {
	more := map[string]*propfindQuery{content: query}
	if known != nil && len(*known) < maxKnownPropfinds {
		maps.Copy(more, *known)
	}
	k.known.CompareAndSwap(known, &more) // or another request has added its own
}
