package davclient

import (
	"errors"
	"strconv"
	"strings"
)

// Unknown is a total that the server does not know, or does not tell.
const Unknown = -1

// maxHeaderValue bounds what is read of the value of one header field, in
// bytes. davd's are below 1 KiB.
const maxHeaderValue = 8 << 10

// Progress is the header Progress of draft-wright-http-progress-02: how far an
// operation is.
type Progress struct {
	// Done is the number of members that are finished, failed ones included;
	// Total that of all members, or Unknown. Total may grow, unless Final.
	Done, Total int64
	// Member is the member of which the server works, as it is written in the
	// header: davd's is a URL reference relative to the request URI. "" where none
	// is named. It is text of the server: make sure that it is printable before
	// it is shown.
	Member string
	// Bytes is the number of bytes that are finished, TotalBytes that of all, or
	// Unknown.
	Bytes, TotalBytes int64
	// Final: the totals are what they will be at the end. The header can't say so;
	// a status document of davd does.
	Final bool
}

// String returns p as the header has it.
func (p Progress) String() string {
	var b strings.Builder
	writeFraction(&b, p.Done, p.Total)
	if p.Member != "" {
		b.WriteString(` "`)
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.Member))
		b.WriteString(`"`)
	}
	if p.Bytes > 0 || p.TotalBytes >= 0 {
		b.WriteByte(' ')
		writeFraction(&b, p.Bytes, p.TotalBytes)
		b.WriteString(" (bytes)")
	}
	return b.String()
}

func writeFraction(b *strings.Builder, done, total int64) {
	b.WriteString(strconv.FormatInt(done, 10))
	b.WriteByte('/')
	if total >= 0 {
		b.WriteString(strconv.FormatInt(total, 10))
	}
}

// errProgress is that of [ParseProgress].
var errProgress = errors.New("davclient: malformed header Progress")

// ParseProgress reads the value of a header Progress: a fraction, then remarks
// of which it keeps the first quoted string, and the first other fraction whose
// comment is "bytes". All others are left out. It fails on what the draft does
// not allow, a denominator below the numerator included, and on more than 8 KiB.
func ParseProgress(value string) (Progress, error) {
	p := Progress{Total: Unknown, TotalBytes: Unknown}
	if len(value) > maxHeaderValue {
		return p, errProgress
	}
	remarks := remarkReader{rest: value}
	first, ok := remarks.next()
	if !ok || first.kind != fraction {
		return p, errProgress
	}
	p.Done, p.Total = first.done, first.total
	var last remark
	for {
		r, ok := remarks.next()
		if !ok {
			break
		}
		switch {
		case r.kind == quoted && p.Member == "":
			p.Member = r.text
		case r.kind == comment && r.text == "bytes" && last.kind == fraction && p.Bytes == 0 && p.TotalBytes == Unknown:
			p.Bytes, p.TotalBytes = last.done, last.total
		}
		last = r
	}
	if remarks.malformed {
		return Progress{Total: Unknown, TotalBytes: Unknown}, errProgress
	}
	return p, nil
}
