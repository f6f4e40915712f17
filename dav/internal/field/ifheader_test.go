package field

import (
	"net/http"
	"reflect"
	"testing"
)

func token(s string) IfCondition    { return IfCondition{Token: s} }
func notToken(s string) IfCondition { return IfCondition{Not: true, Token: s} }
func etagIs(s string) IfCondition   { return IfCondition{ETag: s} }
func notETag(s string) IfCondition  { return IfCondition{Not: true, ETag: s} }

func TestParseIf(t *testing.T) {
	const lock1 = "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2"
	const lock2 = "urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092"
	for _, c := range []struct {
		name, value string
		want        If
	}{
		{"§10.4.6 no-tag list", `(<` + lock1 + `> ["I am an ETag"]) (["I am another ETag"])`, If{
			{Conditions: []IfCondition{token(lock1), etagIs(`"I am an ETag"`)}},
			{Conditions: []IfCondition{etagIs(`"I am another ETag"`)}},
		}},
		{"§10.4.7 Not", `(Not <` + lock1 + `> <` + lock2 + `>)`, If{
			{Conditions: []IfCondition{notToken(lock1), token(lock2)}},
		}},
		{"§10.4.8 always true", `(<` + lock1 + `>) (Not <DAV:no-lock>)`, If{
			{Conditions: []IfCondition{token(lock1)}},
			{Conditions: []IfCondition{notToken("DAV:no-lock")}},
		}},
		{"§10.4.9 tagged list", `</resource1> (<` + lock1 + `> [W/"A weak ETag"]) (["strong ETag"])`, If{
			{Tag: "/resource1", Conditions: []IfCondition{token(lock1), etagIs(`W/"A weak ETag"`)}},
			{Tag: "/resource1", Conditions: []IfCondition{etagIs(`"strong ETag"`)}},
		}},
		{"§10.4.10 matching lock tokens", `<http://www.example.com/specs/> (<` + lock1 + `>)`, If{
			{Tag: "http://www.example.com/specs/", Conditions: []IfCondition{token(lock1)}},
		}},
		{"§10.4.11 unmapped URLs", `</specs/rfc2518.doc> (["4217"])`, If{
			{Tag: "/specs/rfc2518.doc", Conditions: []IfCondition{etagIs(`"4217"`)}},
		}},
		{"§10.4.11 unmapped URLs with Not", `</specs/rfc2518.doc> (Not ["4217"])`, If{
			{Tag: "/specs/rfc2518.doc", Conditions: []IfCondition{notETag(`"4217"`)}},
		}},
		{"§10.4.2 several tags", `</a> (<x:1>) </b> (<x:2>) (<x:3>)`, If{
			{Tag: "/a", Conditions: []IfCondition{token("x:1")}},
			{Tag: "/b", Conditions: []IfCondition{token("x:2")}},
			{Tag: "/b", Conditions: []IfCondition{token("x:3")}},
		}},
		{"without white space", `</a>(Not<x:1>["e"])(<x:2>)`, If{
			{Tag: "/a", Conditions: []IfCondition{notToken("x:1"), etagIs(`"e"`)}},
			{Tag: "/a", Conditions: []IfCondition{token("x:2")}},
		}},
		{"much white space", "\t ( \tNot\t <x:1> [\"e\"] )  ", If{
			{Conditions: []IfCondition{notToken("x:1"), etagIs(`"e"`)}},
		}},
		{"§8.2 not", `(not <x:1>)`, If{{Conditions: []IfCondition{notToken("x:1")}}}},
		{"a token with special characters", `(<x:(Not)[]"(>)`, If{{Conditions: []IfCondition{token(`x:(Not)[]"(`)}}}},
		{"RFC 9110 §8.8.3 brackets in an entity tag", `(["a]b[c)"] <x:1>)`, If{{Conditions: []IfCondition{etagIs(`"a]b[c)"`), token("x:1")}}}},
		{"RFC 9110 §8.8.3 empty entity tag", `([""])`, If{{Conditions: []IfCondition{etagIs(`""`)}}}},

		{"empty", "", nil},
		{"white space", " \t", nil},
		{"no list", `<http://www.example.com/>`, nil},
		{"a tag without a list at the end", `</a> (<x:1>) </b>`, nil},
		{"two tags", `</a> </b> (<x:1>)`, nil},
		{"empty list", `()`, nil},
		{"empty list after a good one", `(<x:1>) ()`, nil},
		{"a list that does not end", `(<x:1>`, nil},
		{"a token that does not end", `(<x:1)`, nil},
		{"an entity tag that does not end", `(["e")`, nil},
		{"an entity tag whose quotes do not end", `(["e])`, nil},
		{"RFC 9110 §8.8.3 an entity tag without quotes", `([e])`, nil},
		{"a quote in an entity tag", `(["e"f"])`, nil},
		{"white space after the quotes", `(["e" ])`, nil},
		{"empty token", `(<>)`, nil},
		{"empty brackets", `([])`, nil},
		{"empty tag", `<> (<x:1>)`, nil},
		{"Not of nothing", `(Not)`, nil},
		{"Not twice", `(Not Not <x:1>)`, nil},
		{"Not without a list", `Not (<x:1>)`, nil},
		{"a word", `(Nothing <x:1>)`, nil},
		{"a bare token", `<x:1>)`, nil},
		{"a token without brackets", `(x:1)`, nil},
		{"text after", `(<x:1>) x`, nil},
		{"comma", `(<x:1>), (<x:2>)`, nil},
		{"list in a list", `((<x:1>))`, nil},
		{"only an opening parenthesis", `(`, nil},
		{"§10.4.2 lists with a tag after some without", `(<x:1>) </a> (<x:2>)`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseIf([]string{c.value})
			if c.want == nil {
				if fieldStatus(err) != http.StatusBadRequest {
					t.Errorf("%q is %v, %v, want malformed", c.value, got, err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%q is\n%v, %v, want\n%v", c.value, got, err, c.want)
			}
		})
	}
}
