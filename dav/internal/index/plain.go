package index

import (
	_ "embed" // for the style
	"strconv"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
)

//go:embed plain.css
var plainStyle string

// PlainPolicy is the Content-Security-Policy of the plain page. It allows the page's own style and
// nothing else.
var PlainPolicy = "default-src 'none'; style-src " + browser.SourceHash(plainStyle) + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Plain writes the plain page of one collection. References are escaped as in a
// multi-status. Text is escaped as in XML, which HTML understands too.
//
// lftp reads the rows too, even when it uses PROPFIND. It expects Apache's columns: a
// name, a time and a size. It takes digits before a space or the end of the row for the
// exact size, stores only that many bytes of the file, and reports success. So each
// size begins with the exact number of bytes, which browsers hide if there is a shorter
// form.
type Plain struct {
	// Name is the path of the collection. Base precedes the references to members.
	Name, Base string
}

// AppendHead appends the page to the first member.
func (p Plain) AppendHead(dst []byte) []byte {
	dst = append(dst, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"...)
	dst = browser.AppendLabel(dst, p.Name)
	dst = append(dst, "</title>\n<style>"+plainStyle+"</style>\n</head>\n<body>\n<h1><bdi>"...)
	dst = browser.AppendLabel(dst, p.Name)
	dst = append(dst, "</bdi></h1>\n<table>\n<thead><tr><th scope=\"col\">Name</th>"+
		"<th scope=\"col\">Modified (UTC)</th><th scope=\"col\">Size</th></tr></thead>\n<tbody>\n"...)
	if p.Name != "/" {
		parent := "../"
		if p.Base != "./" {
			parent = "./"
		}
		dst = append(dst, `<tr><td><a href="`+parent+`">../</a></td><td></td><td></td></tr>`+"\n"...)
	}
	return dst
}

// AppendMember appends a member.
func (p Plain) AppendMember(dst []byte, m *Member) []byte {
	slash := ""
	if m.Collection {
		slash = "/"
	}
	dst = append(dst, `<tr><td><a href="`...)
	dst = append(dst, p.Base...)
	start := len(dst)
	dst = davxml.AsText(field.AppendEscaped(dst, m.Name), start)
	dst = append(dst, slash+`"><bdi>`...)
	dst = browser.AppendLabel(dst, m.Name)
	dst = append(dst, "</bdi>"+slash+"</a></td><td>"...)
	if m.Described {
		dst = time.Unix(m.Modified, 0).UTC().AppendFormat(dst, "2006-01-02 15:04")
	}
	dst = append(dst, "</td><td>"...)
	switch {
	case m.Collection:
		dst = append(dst, '-')
	case m.Described:
		if m.Size >= 1000 { // the next line rounds it
			dst = append(strconv.AppendInt(append(dst, "<span>"...), m.Size, 10), " </span>"...)
		}
		dst = browser.AppendSize(dst, m.Size)
	}
	return append(dst, "</td></tr>\n"...)
}

// AppendEnd appends the rest after the members, whose number is shown. whole is false if there may
// be more.
func (p Plain) AppendEnd(dst []byte, shown int, whole bool) []byte {
	dst = append(dst, "</tbody>\n</table>\n"...)
	switch {
	case !whole:
		dst = append(dst, "<p>There may be more than these "+strconv.Itoa(shown)+" members: mount the share to see all.</p>\n"...)
	case shown == 0:
		dst = append(dst, "<p>There is nothing here yet.</p>\n"...)
	}
	return append(dst, "</body>\n</html>\n"...)
}
