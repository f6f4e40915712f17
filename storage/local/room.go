package local

// Bounds of how much room is set aside ahead of what has arrived, in bytes.
const (
	leastAhead = 256 << 10
	mostAhead  = 256 << 20
)

// room sets room aside for the content of a replacement. It grows with what has
// been written, so that a client that announces much and sends little takes no
// room from others, and content that comes fast still lies in few pieces.
type room struct {
	// start, written and end are offsets in the file: where the content begins,
	// how far it has been written, and where it ends as announced.
	start, written, end int64
	// aside is how far room has been set aside.
	aside int64
}

// newRoom returns the room for size bytes from start on. It fails if they can't
// fit.
func newRoom(fd int, start, size int64) (room, error) {
	r := room{start: start, written: start, end: start + size, aside: start}
	if size <= 0 {
		return room{}, nil
	}
	return r, mayFit(fd, start, size)
}

// take notes that n more bytes are about to be written. Room for them, and for as
// much again as has been written, is set aside if there is none yet.
func (r *room) take(s stage, n int64) error {
	r.written += n
	if r.aside >= r.end || r.written <= r.aside {
		return nil
	}
	ahead := min(max(r.written-r.start, leastAhead), mostAhead)
	return r.extend(s, min(r.written+ahead, r.end))
}

// takeAll sets aside all that was announced: the content is at hand.
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
