package browser

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/davd/davd/dav/internal/davxml"
)

// AppendLabel appends the Label of name as HTML.
func AppendLabel(dst []byte, name string) []byte { return davxml.AppendText(dst, Label(name)) }

// Label returns a name for people to read. It replaces invalid UTF-8, control characters,
// and those that reverse text, with which the name "fdp.exe" can look like "exe.pdf".
func Label(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' || c == 0xFFFE || c == 0xFFFF {
			return utf8.RuneError
		}
		return c
	}, name)
}

// AppendSize appends a size for people, in powers of 1000.
func AppendSize(dst []byte, size int64) []byte {
	if size < 1000 {
		dst = strconv.AppendInt(dst, size, 10)
		return append(dst, " B"...)
	}
	const units = "kMGTPE"
	unit, value := 0, float64(size)/1000
	for value >= 999.5 && unit < len(units)-1 {
		unit, value = unit+1, value/1000
	}
	decimals := 0
	if value < 9.95 {
		decimals = 1
	}
	dst = strconv.AppendFloat(dst, value, 'f', decimals, 64)
	return append(dst, ' ', units[unit], 'B')
}
