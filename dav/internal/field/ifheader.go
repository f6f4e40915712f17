package field

import "strings"

// If is the header If (RFC 4918 §10.4). It holds if one of its lists holds.
type If []IfList

// IfList holds if all its conditions hold for the resource that tag names. An empty tag
// stands for the request URI.
type IfList struct {
	Tag        string
	Conditions []IfCondition
}

// IfCondition is a state token, or an entity tag with its quotes.
type IfCondition struct {
	Not         bool
	Token, ETag string // one of them is set
}

var errIfHeader = Bad("the header If is malformed")

// ParseIf parses the values of the header. It returns nil without the header.
//
//	If   = 1*List / 1*( "<" URI ">" 1*List )
//	List = "(" 1*( ["Not"] ( "<" URI ">" / "[" entity-tag "]" ) ) ")"
func ParseIf(values []string) (If, error) {
	if len(values) == 0 {
		return nil, nil
	}
	var header If
	p := ifParser{rest: values[0]} // a repeated header was refused before
	for p.peek() != 0 {
		tag, tagged := p.delimited('<', '>')
		if len(header) > 0 && (!tagged || header[0].Tag == "") {
			return nil, errIfHeader // the header must not mix tagged and untagged lists
		}
		before := len(header)
		for p.peek() == '(' {
			conditions, ok := p.list()
			if !ok {
				return nil, errIfHeader
			}
			header = append(header, IfList{Tag: tag, Conditions: conditions})
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
func (p *ifParser) list() ([]IfCondition, bool) {
	p.rest = p.rest[1:]
	var conditions []IfCondition
	for p.peek() != ')' {
		c := IfCondition{}
		if len(p.rest) >= 3 && strings.EqualFold(p.rest[:3], "Not") {
			c.Not, p.rest = true, p.rest[3:]
		}
		var isToken, isETag bool
		if c.Token, isToken = p.delimited('<', '>'); !isToken {
			c.ETag, isETag = p.entityTag()
		}
		if !isToken && !isETag {
			return nil, false
		}
		conditions = append(conditions, c)
	}
	p.rest = p.rest[1:]
	return conditions, len(conditions) > 0
}

// Tokens returns the state tokens that the client submits by naming them (RFC
// 4918 §10.4.1).
func (header If) Tokens() []string {
	var tokens []string
	for _, list := range header {
		for _, c := range list.Conditions {
			if c.Token != "" {
				tokens = append(tokens, c.Token)
			}
		}
	}
	return tokens
}
