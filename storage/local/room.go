package local

// These limit how far ahead of the received content room is reserved, in bytes.
const (
	leastAhead = 256 << 10
	mostAhead  = 256 << 20
)

// room reserves disk space for the content of a replacement. The reservation grows with
// the received content. So a client that announces much and sends little takes no room from
// others, while content that arrives fast still gets few fragments.
type room struct {
	// start, written and end are offsets in the file: the start of the content, the
	// end of what has been written, and the announced end.
	start, written, end int64
	// aside is the offset where the reserved room ends.
	aside int64
}

// newRoom returns the room for size bytes from start on, or an error if they can't fit.
func newRoom(fd int, start, size int64) (room, error) {
	r := room{start: start, written: start, end: start + size, aside: start}
	if size <= 0 {
		return room{}, nil
	}
	return r, mayFit(fd, start, size)
}

// take must be called before n more bytes are written. If they exceed the reservation, take
// extends it by them and by as much as has been written so far, within limits.
func (r *room) take(s stage, n int64) error {
	r.written += n
	if r.aside >= r.end || r.written <= r.aside {
		return nil
	}
	ahead := min(max(r.written-r.start, leastAhead), mostAhead)
	return r.extend(s, min(r.written+ahead, r.end))
}

// takeAll reserves room for all of the announced content, because the content is ready.
func (r *room) takeAll(s stage) error {
	if r.aside >= r.end {
		return nil
	}
	return r.extend(s, r.end)
}

func (r *room) extend(s stage, to int64) error {
	err := reserve(s.fd(), r.aside, to-r.aside)
	r.aside = to
	return err
}
