package litmus

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// An element is an element of an XML document, or character data.
type element struct {
	name       xml.Name   // empty for character data
	attributes []xml.Attr // sorted by name, without namespace declarations
	content    []*element
	characters string // the character data
}

// parseElement parses a document. White space only counts beside other characters, or as the only
// content of an element.
func parseElement(t *testing.T, document string) *element {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(document))
	root := new(element)
	open := []*element{root}
	for {
		token, err := decoder.Token()
		if err == io.EOF { //nolint:errorlint // as documented
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name}
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					e.attributes = append(e.attributes, a)
				}
			}
			slices.SortFunc(e.attributes, func(a, b xml.Attr) int {
				return cmp.Or(strings.Compare(a.Name.Space, b.Name.Space), strings.Compare(a.Name.Local, b.Name.Local))
			})
			last.content = append(last.content, e)
			open = append(open, e)
		case xml.EndElement:
			last.dropSpace()
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 1 {
				last.content = append(last.content, &element{characters: string(token)})
			}
		}
	}
	if len(root.content) != 1 {
		t.Fatalf("%d elements in the document", len(root.content))
	}
	return root.content[0]
}

// dropSpace removes white space between elements.
func (e *element) dropSpace() {
	parents := slices.ContainsFunc(e.content, func(c *element) bool { return c.name.Local != "" })
	spaces := !slices.ContainsFunc(e.content, func(c *element) bool { return strings.TrimSpace(c.characters) != "" })
	if parents && spaces {
		e.content = slices.DeleteFunc(e.content, func(c *element) bool { return c.name.Local == "" })
	}
}

// find returns the first child element with this local name. It panics if there is none.
func (e *element) find(local string) *element {
	return e.content[slices.IndexFunc(e.content, func(c *element) bool { return c.name.Local == local })]
}

func (e *element) text() string {
	var b strings.Builder
	e.each(func(c *element) { b.WriteString(c.characters) })
	return b.String()
}

// each visits e and everything in it.
func (e *element) each(visit func(*element)) {
	visit(e)
	for _, c := range e.content {
		c.each(visit)
	}
}

// goldenLevels is how many levels of elements get separate lines. Below them are the properties.
const goldenLevels = 4

// String returns the element in a canonical form, with a line for each property.
func (e *element) String() string {
	var b strings.Builder
	e.write(&b, 0, "")
	return b.String()
}

func (e *element) write(b *strings.Builder, level int, space string) {
	if e.name.Local == "" {
		b.WriteString(written(e.characters))
		return
	}
	indent, end := "", ""
	if level <= goldenLevels {
		indent, end = strings.Repeat(" ", level), "\n"
	}
	name := e.name.Local
	b.WriteString(indent)
	switch {
	case e.name.Space == "DAV:":
		name = "D:" + name
		b.WriteString("<" + name)
		if level == 0 {
			b.WriteString(` xmlns:D="DAV:"`)
		}
	case e.name.Space != space:
		b.WriteString("<" + name + ` xmlns="` + written(e.name.Space) + `"`)
		space = e.name.Space
	default:
		b.WriteString("<" + name)
	}
	for i, a := range e.attributes {
		switch a.Name.Space {
		case "":
		case "http://www.w3.org/XML/1998/namespace":
			a.Name.Local = "xml:" + a.Name.Local
		default:
			a.Name.Local = fmt.Sprintf("a%d:%s", i, a.Name.Local)
			fmt.Fprintf(b, ` xmlns:a%d="%s"`, i, written(a.Name.Space))
		}
		fmt.Fprintf(b, ` %s="%s"`, a.Name.Local, written(a.Value))
	}
	if len(e.content) == 0 {
		b.WriteString("/>" + end)
		return
	}
	b.WriteString(">")
	inner := level + 1
	if level < goldenLevels && e.content[0].name.Local != "" {
		b.WriteString("\n")
	} else {
		indent, inner = "", goldenLevels+1
	}
	for _, c := range e.content {
		c.write(b, inner, space)
	}
	b.WriteString(indent)
	b.WriteString("</" + name + ">" + end)
}

// written returns s as XML text or an attribute's value. It uses references for invisible and
// combining characters.
func written(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune(`<>&"`, c) || !unicode.IsPrint(c) || unicode.IsMark(c) {
			fmt.Fprintf(&b, "&#x%X;", c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

func TestInfoset(t *testing.T) {
	t.Parallel()
	const document = `<D:a xmlns:D="DAV:" xmlns:o="other:"><D:b o:y="2" x="&lt;"> text </D:b><o:c><d/></o:c></D:a>`
	for name, c := range map[string]struct {
		other string
		same  bool
	}{
		"prefixes":                          {`<a xmlns="DAV:" xmlns:D="other:"><b D:y="2" x="&lt;"> text </b><D:c><d xmlns=""/></D:c></a>`, true},
		"white space between elements":      {"<?xml version='1.0'?>\n" + strings.ReplaceAll(document, "><", ">\n <"), true},
		"order of attributes":               {strings.Replace(document, `o:y="2" x="&lt;"`, `x="&#60;" o:y="2"`, 1), true},
		"how an empty element is written":   {strings.Replace(document, "<d/>", "<d></d>", 1), true},
		"how characters are written":        {strings.Replace(document, " text ", " <![CDATA[te]]>x&#116; ", 1), true},
		"white space in text":               {strings.Replace(document, " text ", "text", 1), false},
		"text of white space":               {strings.Replace(document, "<d/>", "<d> </d>", 1), false},
		"namespace":                         {strings.Replace(document, "other:", "another:", 1), false},
		"an attribute":                      {strings.Replace(document, `"2"`, `"3"`, 1), false},
		"order of elements":                 {`<D:a xmlns:D="DAV:" xmlns:o="other:"><o:c><d/></o:c><D:b o:y="2" x="&lt;"> text </D:b></D:a>`, false},
		"its own canonical form":            {parseElement(t, document).String(), true},
		"an element that is one level down": {strings.Replace(document, "<d/></o:c>", "</o:c><d/>", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := parseElement(t, c.other).String(), parseElement(t, document).String()
			if (got == want) != c.same {
				t.Errorf("%s\nand\n%s", got, want)
			}
		})
	}
}
