package dav

import "strings"

// ifHeader is the header If (RFC 4918 §10.4). It holds if one of its lists holds.
type ifHeader []ifList

// ifList holds if all its conditions hold for the resource that tag names. An empty tag
// stands for the request URI.
type ifList struct {
	tag        string
	conditions []ifCondition
}

// ifCondition is a state token, or an entity tag with its quotes.
type ifCondition struct {
	not         bool
	token, etag string // one of them is set
}

var errIfHeader = badField("the header If is malformed")

// parseIf parses the values of the header. It returns nil without the header.
//
//	If   = 1*List / 1*( "<" URI ">" 1*List )
//	List = "(" 1*( ["Not"] ( "<" URI ">" / "[" entity-tag "]" ) ) ")"
func parseIf(values []string) (ifHeader, error) {
	if len(values) == 0 {
		return nil, nil
	}
	var header ifHeader
	p := ifParser{rest: values[0]} // a repeated header was refused before
	for p.peek() != 0 {
		tag, tagged := p.delimited('<', '>')
		if len(header) > 0 && (!tagged || header[0].tag == "") {
			return nil, errIfHeader // the header must not mix tagged and untagged lists
		}
		before := len(header)
		for p.peek() == '(' {
			conditions, ok := p.list()
			if !ok {
				return nil, errIfHeader
			}
			header = append(header, ifList{tag: tag, conditions: conditions})
		}
		if len(header) == before {
			return nil, errIfHeader
		}
	}
	if len(header) == 0 {
		return nil, errIfHeader
	}
	return header, nil
}

type ifParser struct{ rest string }

// peek skips white space and returns the next character, or 0 at the end.
func (p *ifParser) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// delimited reads the text between open and end, if open comes next. The text must not
// be empty.
func (p *ifParser) delimited(open, end byte) (string, bool) {
	if p.peek() != open {
		return "", false
	}
	inner, rest, found := strings.Cut(p.rest[1:], string(end))
	if !found || inner == "" {
		return "", false
	}
	p.rest = rest
	return inner, true
}

// entityTag reads an entity tag in brackets, if one comes next. A bracket inside its
// quotes is part of the tag (RFC 9110 §8.8.3).
func (p *ifParser) entityTag() (string, bool) {
	if p.peek() != '[' {
		return "", false
	}
	opaque, quoted := strings.CutPrefix(strings.TrimPrefix(p.rest[1:], "W/"), `"`)
	_, rest, closed := strings.Cut(opaque, `"`)
	rest, ended := strings.CutPrefix(rest, "]")
	if !quoted || !closed || !ended {
		return "", false
	}
	etag := p.rest[1 : len(p.rest)-len(rest)-1]
	p.rest = rest
	return etag, true
}

// list reads a List. Its opening parenthesis must come next.
func (p *ifParser) list() ([]ifCondition, bool) {
	p.rest = p.rest[1:]
	var conditions []ifCondition
	for p.peek() != ')' {
		c := ifCondition{}
		if len(p.rest) >= 3 && strings.EqualFold(p.rest[:3], "Not") {
			c.not, p.rest = true, p.rest[3:]
		}
		var isToken, isETag bool
		if c.token, isToken = p.delimited('<', '>'); !isToken {
			c.etag, isETag = p.entityTag()
		}
		if !isToken && !isETag {
			return nil, false
		}
		conditions = append(conditions, c)
	}
	p.rest = p.rest[1:]
	return conditions, len(conditions) > 0
}

// tokens returns the state tokens that the client submits by naming them (RFC
// 4918 §10.4.1).
func (header ifHeader) tokens() []string {
	var tokens []string
	for _, list := range header {
		for _, c := range list.conditions {
			if c.token != "" {
				tokens = append(tokens, c.token)
			}
		}
	}
	return tokens
}
