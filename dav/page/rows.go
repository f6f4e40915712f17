package page

import (
	"html"
	"html/template"
	"strconv"

	"github.com/davd/davd/dav"
)

// rows returns the rows of the table. The scripts show them until the listing has arrived. The template
// would need six times as long for 2,000 rows, in the time in which the browser starts the scripts.
func rows(c *dav.Collection) template.HTML {
	var b []byte
	for i := range c.Members {
		b = appendRow(b, c, &c.Members[i])
	}
	return template.HTML(b) //nolint:gosec // appendRow has escaped the names
}

// appendRow appends the row of a member. The sizes and the times in attributes are exact.
func appendRow(b []byte, c *dav.Collection, m *dav.Member) []byte {
	b = append(b, `<tr><td><a href="`...)
	b = append(b, html.EscapeString(reference(c, *m))...)
	b = append(b, `"><bdi>`...)
	b = append(b, html.EscapeString(label(m.Name))...)
	b = append(b, "</bdi>"...)
	if m.Collection {
		b = append(b, '/')
	}
	b = append(b, "</a></td><td>"...)
	b = append(b, kindText(*m)...)
	b = append(b, "</td><td>"...)
	if !m.Modified.IsZero() {
		b = append(b, `<time datetime="`...)
		b = append(b, isoText(m.Modified)...)
		b = append(b, `">`...)
		b = append(b, timeText(m.Modified)...)
		b = append(b, "</time>"...)
	}
	b = append(b, "</td><td>"...)
	if !m.Collection && m.Size >= 0 {
		b = append(b, `<data value="`...)
		b = strconv.AppendInt(b, m.Size, 10)
		b = append(b, `">`...)
		b = append(b, sizeText(m.Size)...)
		b = append(b, "</data>"...)
	}
	return append(b, "</td></tr>\n"...)
}
