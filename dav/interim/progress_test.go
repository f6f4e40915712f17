package interim

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/davd/davd/dav/internal/field"
)

// progressABNF is the grammar of draft-wright-http-progress-02:
//
//	Progress = fraction *( SP remark )
//	fraction = 1*DIGIT "/" [ 1*DIGIT ]
//	remark   = fraction / comment / quoted-string
//
// with comment and quoted-string of RFC 9110 §5.6.4 and §5.6.5 in ASCII, and
// comments that do not nest.
var progressABNF = regexp.MustCompile(`^[0-9]+/[0-9]*( ([0-9]+/[0-9]*|` +
	`\(([\t \x21-\x27\x2a-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*\)|` +
	`"([\t \x21\x23-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*"))*$`)

func TestProgressABNF(t *testing.T) {
	for _, good := range []string{"0/", "1/2", `1/2 "a b" 3/ (c)`, `1/2 "\""`} {
		if !progressABNF.MatchString(good) {
			t.Errorf("%q does not match", good)
		}
	}
	for _, bad := range []string{"", "/", "1", "-1/2", `1/2 "a`, `1/2  3/4`, `1/2 a`, `1/2 "ä"`, "1/2\r\nX: y", `1/2 (a(b))`} {
		if progressABNF.MatchString(bad) {
			t.Errorf("%q matches", bad)
		}
	}
}

func TestFormatProgress(t *testing.T) {
	long := strings.Repeat("x", maxProgressName)
	for _, c := range []struct {
		name     string
		progress Progress
		root     string
		bare     bool
		want     string
	}{
		{name: "nothing yet", root: "/a", want: "0/"},
		{name: "design.md's example", progress: Progress{Done: 1200, Known: 10000, Final: true, Current: "/a/photos/2024/img 01.jpg", Bytes: 8020, KnownBytes: 8591489}, root: "/a", want: `1200/10000 "photos/2024/img%2001.jpg" 8020/8591489 (bytes)`},
		{name: "not known how many", progress: Progress{Done: 3, Current: "/a/b"}, root: "/a", want: `3/ "b"`},
		{name: "bytes known and none done", progress: Progress{Done: 0, Known: 1, KnownBytes: 9, Final: true}, root: "/a", want: `0/1 0/9 (bytes)`},
		{name: "more may be found", progress: Progress{Done: 3, Known: 7, Current: "/a/b", Bytes: 1, KnownBytes: 5}, root: "/a", want: `3/ "b" 1/ (bytes)`},
		{name: "bytes, none of them done, and more may be found", progress: Progress{Known: 7, KnownBytes: 5}, root: "/a", want: `0/`},
		{name: "the root itself", progress: Progress{Done: 1, Known: 1, Final: true, Current: "/x/a"}, root: "/x/a", want: `1/1 "a"`},
		{name: "below the root of the share", progress: Progress{Current: "/a"}, root: "/", want: `0/ "a"`},
		{name: "the root of the share", progress: Progress{Current: "/"}, root: "/", want: `0/`},
		{name: "quotes and backslash", progress: Progress{Current: `/a/"\`}, root: "/a", want: `0/ "%22%5C"`},
		{name: "line end", progress: Progress{Current: "/a/\r\nX: y"}, root: "/a", want: `0/ "%0D%0AX:%20y"`},
		{name: "not ASCII", progress: Progress{Current: "/a/ä\xff"}, root: "/a", want: `0/ "%C3%A4%FF"`},
		{name: "longest name", progress: Progress{Current: "/a/" + long}, root: "/a", want: `0/ "` + long + `"`},
		{name: "a longer name is left out", progress: Progress{Current: "/a/" + long + "x"}, root: "/a", want: `0/`},
		{name: "a name that gets longer by escaping is left out", progress: Progress{Current: "/a/" + strings.Repeat("ä", maxProgressName/6+1)}, root: "/a", want: `0/`},
		{name: "without a name", progress: Progress{Done: 1, Known: 2, Final: true, Current: "/a/b", Bytes: 3}, root: "/a", bare: true, want: `1/2 3/ (bytes)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := formatProgress(c.progress, c.root, !c.bare)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if !progressABNF.MatchString(got) {
				t.Errorf("%q is not a Progress", got)
			}
		})
	}
}

func TestFormatStatusURI(t *testing.T) {
	url := func(name string) string { return "http://davd.test" + string(field.AppendEscaped(nil, name)) }
	outcomes := []Outcome{
		{Name: "/a/full", Status: 507},
		{Name: "/a/secret", Status: 403},
		{Name: "/a/done"},
	}
	for _, c := range []struct {
		name     string
		outcomes []Outcome
		room     int
		want     string
	}{
		{"RFC 2518 §9.7 none", nil, 900, ""},
		{"RFC 2518 §9.7 failures first", outcomes, 900, "507 <http://davd.test/a/full>, 403 <http://davd.test/a/secret>, 201 <http://davd.test/a/done>"},
		{"exactly enough room", outcomes[:1], len(", 507 <http://davd.test/a/full>"), "507 <http://davd.test/a/full>"},
		{"too little room", outcomes[:1], len("507 <http://davd.test/a/full>") - 1, ""},
		{"no room", outcomes, 0, ""},
		{"less than no room", outcomes, -5, ""},
		{"a long one makes room for short ones", []Outcome{{Name: "/" + strings.Repeat("x", 900)}, {Name: "/b"}}, 900, "201 <http://davd.test/b>"},
		{"a name to escape", []Outcome{{Name: "/a>, 204 <b"}}, 900, "201 <http://davd.test/a%3E,%20204%20%3Cb>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := formatStatusURI(c.outcomes, http.StatusCreated, url, c.room); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
