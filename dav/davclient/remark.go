package davclient

import (
	"strconv"
	"strings"
)

// remark is one element of the header Progress.
type remark struct {
	kind        remarkKind
	done, total int64  // of a fraction; total may be Unknown
	text        string // of a quoted string or comment, without its quotes
}

type remarkKind int

const (
	noRemark  remarkKind = iota
	fraction             // 3/20, or 3/
	quoted               // "text"
	comment              // (text), which may hold comments
	extension            // UTF-8'en'text (RFC 8187 §3.2)
)

// remarkReader reads the elements of a header Progress, which are separated by
// white space.
type remarkReader struct {
	rest      string
	malformed bool
}

// next returns the next element. It returns false at the end or if the rest is
// malformed.
func (r *remarkReader) next() (remark, bool) {
	r.rest = strings.TrimLeft(r.rest, " \t")
	if r.rest == "" || r.malformed {
		return remark{}, false
	}
	var read remark
	var ok bool
	switch c := r.rest[0]; c {
	case '"':
		read, ok = r.delimited(quoted)
	case '(':
		read, ok = r.delimited(comment)
	default:
		word := r.rest
		if end := strings.IndexAny(word, " \t"); end >= 0 {
			word = word[:end]
		}
		r.rest = r.rest[len(word):]
		if c >= '0' && c <= '9' {
			read, ok = parseFraction(word)
		} else {
			read, ok = remark{kind: extension, text: word}, strings.Count(word, "'") == 2
		}
	}
	if ok && r.rest != "" && r.rest[0] != ' ' && r.rest[0] != '\t' && (read.kind == quoted || read.kind == comment) {
		ok = false
	}
	r.malformed = !ok
	return read, ok
}

// delimited reads a quoted string or a comment (RFC 9110 §5.6.4, §5.6.5).
func (r *remarkReader) delimited(kind remarkKind) (remark, bool) {
	var text strings.Builder
	depth := 1
	for i := 1; i < len(r.rest); i++ {
		c := r.rest[i]
		switch {
		case c == '\\':
			if i++; i == len(r.rest) {
				return remark{}, false
			}
			c = r.rest[i]
		case kind == quoted && c == '"', kind == comment && c == ')':
			depth--
		case kind == comment && c == '(':
			depth++
		}
		if depth == 0 {
			r.rest = r.rest[i+1:]
			return remark{kind: kind, text: text.String()}, true
		}
		text.WriteByte(c)
	}
	return remark{}, false
}

func parseFraction(word string) (remark, bool) {
	done, total, slash := strings.Cut(word, "/")
	read := remark{kind: fraction, total: Unknown}
	var ok bool
	if read.done, ok = parseDigits(done); !ok || !slash {
		return remark{}, false
	}
	if total == "" {
		return read, true
	}
	read.total, ok = parseDigits(total)
	return read, ok && read.total >= read.done
}

// parseDigits parses 1*DIGIT: unlike strconv.ParseInt it allows no sign.
func parseDigits(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
