package davclient

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Unknown stands for a total or size that the server did not send.
const Unknown = -1

// maxHeaderValue limits the value of one header field, in bytes. davd's values are
// shorter than 1 KiB.
const maxHeaderValue = 8 << 10

// Progress is the progress of an operation, as in the header Progress of
// draft-wright-http-progress-02.
type Progress struct {
	// Done is the number of finished members, including those that failed. Total
	// is the number of all members, or Unknown. It may grow unless Final is true.
	Done, Total int64
	// Member is the member that the server is working on, as written in the
	// header, or "". davd sends a URL reference relative to the request URI. The
	// text comes from the server: check that it is printable before you show it.
	Member string
	// Bytes is the number of finished bytes. TotalBytes is the number of all
	// bytes, or Unknown.
	Bytes, TotalBytes int64
	// Final means that the totals will not change any more. The header can't say
	// so, but davd's status documents do.
	Final bool
}

// String returns p in the syntax of the header.
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

var errProgress = errors.New("davclient: malformed header Progress")

// ParseProgress parses the value of a header Progress: a fraction, then remarks.
// From the remarks it takes the first quoted string as the member, and the first
// fraction that is followed by the comment "(bytes)"; it ignores the others. It
// fails if the value breaks the draft's syntax, has a total below the number done,
// or is longer than 8 KiB.
func ParseProgress(value string) (Progress, error) {
	unknown := Progress{Total: Unknown, TotalBytes: Unknown}
	if len(value) > maxHeaderValue {
		return unknown, errProgress
	}
	p, rest := unknown, strings.Trim(value, " \t")
	var done, total int64
	counts := false // the last remark was the fraction done/total
	for first := true; first || rest != ""; first = false {
		m := element.FindStringSubmatch(rest)
		if m == nil || first && m[1] == "" {
			return unknown, errProgress
		}
		rest = rest[len(m[0]):]
		var ok bool
		switch {
		case m[1] != "":
			if done, total, ok = parseFraction(m[1], m[2]); !ok {
				return unknown, errProgress
			}
			if first {
				p.Done, p.Total = done, total
			}
		case m[3] != "" && p.Member == "":
			p.Member = quotedPair.ReplaceAllString(m[3], "$1")
		case m[4] == "bytes" && counts && p.Bytes == 0 && p.TotalBytes == Unknown:
			p.Bytes, p.TotalBytes = done, total
		}
		counts = m[1] != "" && !first
	}
	return p, nil
}

var (
	// element matches an element of the header Progress with the white space after it: a
	// fraction, a quoted string, a comment, which may hold comments (RFC 9110 §5.6.4,
	// §5.6.5), or an extension such as UTF-8'en'text (RFC 8187 §3.2).
	element = regexp.MustCompile(`(?s)^(?:(\d+)/(\d*)|"((?:[^"\\]|\\.)*)"|\(((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*)\)|` +
		`[^\d"(' \t][^' \t]*'[^' \t]*'[^' \t]*)(?:[ \t]+|$)`)
	quotedPair = regexp.MustCompile(`(?s)\\(.)`)
)

func parseFraction(number, of string) (done, total int64, ok bool) {
	done, ok = parseDigits(number)
	if !ok || of == "" {
		return done, Unknown, ok
	}
	total, ok = parseDigits(of)
	return done, total, ok && total >= done
}

// parseDigits parses 1*DIGIT: unlike strconv.ParseInt it allows no sign.
func parseDigits(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
