package davclient_test

import (
	"strings"
	"testing"

	"github.com/davd/davd/dav/davclient"
)

const unknown = davclient.Unknown

func TestParseProgress(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        davclient.Progress
		malformed   bool
	}{
		{name: "members, member and bytes, as davd sends them", value: `1200/10000 "photos/2024/img%2001.jpg" 8020/8591489 (bytes)`, want: davclient.Progress{Done: 1200, Total: 10000, Member: "photos/2024/img%2001.jpg", Bytes: 8020, TotalBytes: 8591489}},
		{name: "an unknown total", value: "1200/", want: davclient.Progress{Done: 1200, Total: unknown, TotalBytes: unknown}},
		{name: "bytes with an unknown total", value: "1/2 3/ (bytes)", want: davclient.Progress{Done: 1, Total: 2, Bytes: 3, TotalBytes: unknown}},
		{name: "a total of zero", value: "0/0", want: davclient.Progress{TotalBytes: unknown}},
		{name: "the draft's comment and extended value", value: "66/ (tries) utf-8'en'Generating%20prime%20number", want: davclient.Progress{Done: 66, Total: unknown, TotalBytes: unknown}},
		{name: "the draft's fraction of a part", value: `3/20 "POST http://example.com/item/3" 8020/8591489 (bytes)`, want: davclient.Progress{Done: 3, Total: 20, Member: "POST http://example.com/item/3", Bytes: 8020, TotalBytes: 8591489}},
		{name: "a fraction without a comment counts no bytes", value: "3/20 1/2", want: davclient.Progress{Done: 3, Total: 20, TotalBytes: unknown}},
		{name: "another comment counts no bytes", value: "3/20 1/2 (pages)", want: davclient.Progress{Done: 3, Total: 20, TotalBytes: unknown}},
		{name: "only the first string and the first bytes count", value: `1/2 "a" "b" 3/4 (bytes) 5/6 (bytes)`, want: davclient.Progress{Done: 1, Total: 2, Member: "a", Bytes: 3, TotalBytes: 4}},
		{name: "escapes (RFC 9110 §5.6.4)", value: `1/2 "a\"b\\c"`, want: davclient.Progress{Done: 1, Total: 2, Member: `a"b\c`, TotalBytes: unknown}},
		{name: "a comment in a comment (RFC 9110 §5.6.5)", value: `1/2 (a (b \) c) d) "e"`, want: davclient.Progress{Done: 1, Total: 2, Member: "e", TotalBytes: unknown}},
		{name: "white space", value: "\t 1/2 \t \"a\"  ", want: davclient.Progress{Done: 1, Total: 2, Member: "a", TotalBytes: unknown}},
		{name: "the largest", value: "9223372036854775807/9223372036854775807", want: davclient.Progress{Done: 1<<63 - 1, Total: 1<<63 - 1, TotalBytes: unknown}},

		{name: "nothing", value: "", malformed: true},
		{name: "a number", value: "12", malformed: true},
		{name: "no numerator", value: "/12", malformed: true},
		{name: "a sign", value: "+1/2", malformed: true},
		{name: "a negative number", value: "-1/2", malformed: true},
		{name: "a total below the number done", value: "3/2", malformed: true},
		{name: "a number too large", value: "9223372036854775808/", malformed: true},
		{name: "a string first", value: `"a" 1/2`, malformed: true},
		{name: "a string without an end", value: `1/2 "a`, malformed: true},
		{name: "a string that ends in an escape", value: `1/2 "a\`, malformed: true},
		{name: "a comment without an end", value: `1/2 (a (b)`, malformed: true},
		{name: "no white space between", value: `1/2 "a""b"`, malformed: true},
		{name: "a word", value: "1/2 soon", malformed: true},
		{name: "three parts", value: "1/2/3", malformed: true},
		{name: "longer than 8 KiB", value: `1/2 "` + strings.Repeat("a", 8<<10) + `"`, malformed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := davclient.ParseProgress(c.value)
			if (err != nil) != c.malformed {
				t.Fatalf("error %v", err)
			}
			if err == nil && got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if err == nil && !strings.Contains(c.value, "(pages)") {
				if again, err := davclient.ParseProgress(got.String()); err != nil || again != got {
					t.Errorf("%s is read as %+v, %v", got, again, err)
				}
			}
		})
	}
}

func TestParseStatusURI(t *testing.T) {
	for _, c := range []struct {
		name      string
		values    []string
		want      []davclient.MemberStatus
		malformed bool
	}{
		{name: "none"},
		{name: "a list, as davd sends it", values: []string{"507 <http://h/a/b>, 204 </c>"}, want: []davclient.MemberStatus{{URI: "http://h/a/b", Status: 507}, {URI: "/c", Status: 204}}},
		{name: "RFC 2518 §9.7", values: []string{"404 <http://h/a>", "200 <http://h/b>"}, want: []davclient.MemberStatus{{URI: "http://h/a", Status: 404}, {URI: "http://h/b", Status: 200}}},
		{name: "a comma in a reference", values: []string{"201 </a,b>,201 </c>"}, want: []davclient.MemberStatus{{URI: "/a,b", Status: 201}, {URI: "/c", Status: 201}}},
		{name: "empty elements (RFC 9110 §5.6.1.2)", values: []string{", ,201 </a>, ,"}, want: []davclient.MemberStatus{{URI: "/a", Status: 201}}},
		{name: "no white space", values: []string{"201</a>"}, want: []davclient.MemberStatus{{URI: "/a", Status: 201}}},
		{name: "no brackets", values: []string{"201 /a"}, malformed: true},
		{name: "no reference", values: []string{"201 <>"}, malformed: true},
		{name: "no end", values: []string{"201 </a"}, malformed: true},
		{name: "members before the error are kept", values: []string{"201 </a>, 7 </b>"}, want: []davclient.MemberStatus{{URI: "/a", Status: 201}}, malformed: true},
		{name: "no status", values: []string{"999 </a>"}, malformed: true},
		{name: "a sign", values: []string{"+20 </a>"}, malformed: true},
		{name: "longer than 8 KiB", values: []string{"201 </" + strings.Repeat("a", 8<<10) + ">"}, malformed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := davclient.ParseStatusURI(c.values)
			if (err != nil) != c.malformed {
				t.Errorf("error %v", err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("%v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%v, want %v", got, c.want)
				}
			}
		})
	}
	many := strings.Repeat("201 </a>,", 900)
	if got, err := davclient.ParseStatusURI([]string{many}); len(got) != 256 || err == nil {
		t.Errorf("%d of many, %v", len(got), err)
	}
}

// FuzzParseProgress checks that a parsed Progress obeys the draft's limits, and that
// String writes it so that it parses to the same value.
func FuzzParseProgress(f *testing.F) {
	for _, seed := range []string{`1/2 "a\"b" 3/4 (bytes)`, "66/ (a (b)) utf-8'en'x", "1/", `0/0 "`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, err := davclient.ParseProgress(value)
		if err != nil {
			return
		}
		if p.Done < 0 || (p.Total != unknown && p.Total < p.Done) || len(p.Member) > len(value) {
			t.Fatalf("%+v", p)
		}
		if again, err := davclient.ParseProgress(p.String()); len(p.String()) < 8<<10 && (err != nil || again != p) {
			t.Fatalf("%+v is %s, read as %+v, %v", p, p, again, err)
		}
	})
}

func FuzzParseStatusURI(f *testing.F) {
	f.Add("507 <http://h/a/b>, 204 </c>", "201 <>")
	f.Fuzz(func(t *testing.T, first, second string) {
		list, _ := davclient.ParseStatusURI([]string{first, second})
		if len(list) > 256 {
			t.Fatal(len(list))
		}
		for _, one := range list {
			if one.Status < 100 || one.Status > 599 || one.URI == "" || strings.ContainsAny(one.URI, ">") {
				t.Fatalf("%+v", one)
			}
		}
	})
}
