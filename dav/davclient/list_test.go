package davclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/davd/davd/dav/davclient"
)

// answering returns a client of a server that answers every request with 207 and
// body.
func answering(t testing.TB, body string) *davclient.Client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := davclient.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// element returns a response element for href.
func element(href, inner string) string {
	return "<D:response><D:href>" + href + "</D:href>" + inner + "</D:response>"
}

const (
	collection = "<D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
	file       = "<D:propstat><D:prop><D:getcontentlength>7</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
)

// TestListServers lists collections on servers with unusual and hostile answers.
func TestListServers(t *testing.T) {
	long := strings.Repeat("a", 2<<20)
	for _, c := range []struct {
		name, body string // the content of multistatus; after "!" the whole body
		want       []string
		err        string
	}{
		{name: "RFC 4918 §9.1", body: element("/d/", collection) + element("/d/a%20b", file) + element("/d/c/", collection), want: []string{"/", "a b 7", "c/"}},
		{name: "whole URLs of a host behind a proxy", body: element("http://inner:81/d/", collection) + element("http://inner:81/d/a", file), want: []string{"/", "a 7"}},
		{name: "the collection itself last", body: element("/d/a", file) + element("/d", collection), want: []string{"a 7", "/"}},
		{name: "the path of a server behind a proxy", body: element("/x/", collection) + element("/x/a", file), want: []string{"/", "a 7"}},
		{name: "properties that failed", body: element("/d/a", "<D:propstat><D:prop><D:getcontentlength>9</D:getcontentlength></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"), want: []string{"a"}},
		{name: "a member with a status", body: element("/d/a", "<D:status>HTTP/1.1 403 Forbidden</D:status>") + element("/d/b", file), want: []string{"a 403", "b 7"}},
		{name: "a negative size", body: element("/d/a", strings.ReplaceAll(file, "7", "-7")), want: []string{"a"}},
		{name: "a slash in a name", body: element("/d/a%2Fb", file), want: []string{"a%2Fb 7"}},
		{name: "another element", body: "<x xmlns='y'>z</x>" + element("/d/a", file) + "<D:responsedescription>d</D:responsedescription>", want: []string{"a 7"}},
		{name: "a member of another collection", body: element("/d/", collection) + element("/e/a", file), want: []string{"/"}, err: "outside the collection"},
		{name: "a dot segment", body: element("/d/", collection) + element("/d/../a", file), want: []string{"/"}, err: "outside the collection"},
		{name: "an escaped dot segment", body: element("/d/", collection) + element("/d/%2e%2E/a", file), want: []string{"/"}, err: "outside the collection"},
		{name: "the collection above", body: element("/", collection), err: "outside the collection"},
		{name: "no reference", body: element("http://[", file), err: "not a URL reference"},
		{name: "a long element", body: element("/d/"+long, file), err: "longer than"},
		{name: "a long attribute", body: "<x y='" + long + "'/>", err: "longer than"},
		{name: "a long comment", body: "<!--" + long + "-->", err: "longer than"},
		{name: "cut short", body: "!<D:multistatus xmlns:D='DAV:'>" + element("/d/a", file) + "<D:respo", want: []string{"a 7"}, err: "unexpected EOF"},
		{name: "deeply nested elements", body: element("/d/a", strings.Repeat("<a>", 100_000)), err: "can't read"},
		{name: "entities", body: "<!DOCTYPE a [<!ENTITY b 'c'>]>" + element("/d/&b;", file), err: "can't read"},
		{name: "no multi-status", body: "!<html xmlns='DAV:'><body/></html>", err: "not a multi-status"},
		{name: "nothing", body: "!", err: "not a multi-status"},
		{name: "no XML", body: "!hello", err: "not a multi-status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, whole := strings.CutPrefix(c.body, "!")
			if !whole {
				body = `<D:multistatus xmlns:D="DAV:">` + body + `</D:multistatus>`
			}
			client := answering(t, body)
			var got []string
			var failed error
			for resource, err := range client.List(t.Context(), "/d/", davclient.Depth1) {
				member, isMember := errors.AsType[*davclient.MemberError](err)
				switch {
				case isMember:
					got = append(got, fmt.Sprint(resource.Name, " ", member.Status))
				case err != nil:
					failed = err
				case resource.Collection:
					got = append(got, resource.Name+"/")
				case resource.Size == davclient.Unknown:
					got = append(got, resource.Name)
				default:
					got = append(got, fmt.Sprint(resource.Name, " ", resource.Size))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if (failed == nil) != (c.err == "") || failed != nil && !strings.Contains(failed.Error(), c.err) {
				t.Errorf("%v, want %q", failed, c.err)
			}
			if failed != nil && len(failed.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(failed.Error()))
			}
		})
	}
}

// TestMultistatusErrors tests which parts of a 207 are failures (RFC 4918 §13).
func TestMultistatusErrors(t *testing.T) {
	const locked = "<D:status>HTTP/1.1 423 Locked</D:status><D:error><D:lock-token-submitted/></D:error>"
	for _, c := range []struct {
		name, body string
		want       []davclient.MemberError
		unnamed    int
	}{
		{name: "none", body: element("/a", "<D:status>HTTP/1.1 204 No Content</D:status>")},
		{name: "some", body: element("/a", locked) + element("/b", "<D:status>HTTP/1.1 200 OK</D:status>"), want: []davclient.MemberError{{Href: "/a", Status: 423, Condition: "lock-token-submitted"}}},
		{name: "§14.24: several references", body: element("/a</D:href><D:href>/b", "<D:status>HTTP/1.1 507 Full</D:status>"), want: []davclient.MemberError{{Href: "/a", Status: 507}, {Href: "/b", Status: 507}}},
		{name: "no status", body: element("/a", ""), want: []davclient.MemberError{{Href: "/a"}}},
		{name: "many", body: strings.Repeat(element("/a", locked), 10_003), unnamed: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := answering(t, `<D:multistatus xmlns:D="DAV:">`+c.body+`</D:multistatus>`).Delete(t.Context(), "/")
			wrong, ok := errors.AsType[*davclient.Error](err)
			if !ok {
				if err != nil || c.want != nil {
					t.Fatal(err)
				}
				return
			}
			if c.want != nil && fmt.Sprint(wrong.Members) != fmt.Sprint(c.want) || wrong.Unnamed != c.unnamed {
				t.Errorf("%v and %d", wrong.Members[:min(3, len(wrong.Members))], wrong.Unnamed)
			}
		})
	}
}

// TestErrorText tests what an Error takes from the body of an answer.
func TestErrorText(t *testing.T) {
	for _, c := range []struct{ name, contentType, body, text, condition string }{
		{"davd's", "text/plain; charset=utf-8", "409 Conflict: the parent collection does not exist\n", "the parent collection does not exist", ""},
		{"a text", "text/plain", "\n no \x1b[31mred\x07 please\nmore\n", "no ?[31mred? please", ""},
		{"a page", "text/html", "<h1>no</h1>", "", ""},
		{"RFC 4918 §16", "application/xml", `<error xmlns="DAV:"><no-conflicting-lock/></error>`, "", "no-conflicting-lock"},
		{"no XML", "text/xml", `<error`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(http.StatusConflict)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			wrong, ok := errors.AsType[*davclient.Error](clientOf(t, server.URL).Mkcol(t.Context(), "/a"))
			if !ok || wrong.Text != c.text || wrong.Condition != c.condition {
				t.Errorf("%+v", wrong)
			}
		})
	}
}

// FuzzList checks that no answer causes a panic or a name that leads outside the
// collection.
func FuzzList(f *testing.F) {
	f.Add(`<D:multistatus xmlns:D="DAV:">` + element("/d/a", file) + element("/d/../b", file) + `</D:multistatus>`)
	f.Add(`<a/>`)
	f.Fuzz(func(t *testing.T, body string) {
		client := answering(t, body)
		for resource, err := range client.List(t.Context(), "/d/", davclient.Depth1) {
			for segment := range strings.SplitSeq(resource.Name, "/") {
				if segment == ".." || segment == "." || segment == "" && resource.Name != "" {
					t.Fatalf("%q, %v", resource.Name, err)
				}
			}
		}
	})
}
