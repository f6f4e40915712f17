package dav

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/status"
)

func namedPropfind(local string) string {
	return `<propfind xmlns="DAV:"><prop><` + local + `/></prop></propfind>`
}

// TestKnownPropfinds: a remembered body keeps its meaning, and only short, well-formed
// bodies are remembered.
func TestKnownPropfinds(t *testing.T) {
	long := namedPropfind("getetag") + strings.Repeat(" ", maxKnownBody)
	for _, tt := range []struct {
		name, body string
		kept       bool
	}{
		{"RFC 4918 §9.1 no body", "", false},
		{"RFC 4918 §9.1.1 named", namedPropfind("getetag"), true},
		{"RFC 4918 §9.1.1 another name of that length", namedPropfind("getetah"), true},
		{"RFC 4918 §9.1.1 three", `<propfind xmlns="DAV:"><prop><a/><b/><c/></prop></propfind>`, true},
		{"RFC 4918 §9.1.4 propname", `<propfind xmlns="DAV:"><propname/></propfind>`, true},
		{"RFC 4918 §9.1.6 include", `<propfind xmlns="DAV:"><allprop/><include><x/></include></propfind>`, true},
		{"XML 1.0 §4.3.3 UTF-16", "\xfe\xff" + utf16be(namedPropfind("getetag")), true},
		{"not well-formed", namedPropfind("getetag")[1:], false},
		{"RFC 4918 §14.20 empty propfind", `<propfind xmlns="DAV:"/>`, false},
		{"another element", `<propertyupdate xmlns="DAV:"/>`, false},
		{"the longest that is kept", long[:maxKnownBody-1], true},
		{"longer", long[:maxKnownBody], false},
		{"much longer", long, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var k knownPropfinds
			want, wantErr := davxml.ParsePropfind(strings.NewReader(tt.body))
			for range 3 {
				// The body is read in pieces, while others use the same memory.
				got, err := k.read(iotest.OneByteReader(strings.NewReader(tt.body)))
				if !reflect.DeepEqual(got, newPropfindQuery(want)) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("%+v, %v, want %+v, %v", got, err, want, wantErr)
				}
				if cap(got.Props) != len(got.Props) {
					t.Error("who appends to the properties changes those of others")
				}
				if _, err := new(knownPropfinds).read(strings.NewReader(namedPropfind("other"))); err != nil {
					t.Fatal(err)
				}
			}
			if known := k.known.Load(); (known != nil && len(*known) == 1) != tt.kept {
				t.Errorf("kept: %v, want %v", known, tt.kept)
			}
		})
	}
}

func utf16be(s string) string {
	var b bytes.Buffer
	for _, c := range []byte(s) {
		b.Write([]byte{0, c})
	}
	return b.String()
}

// TestKnownPropfindsBroken: a body that is cut off is not taken for a complete one,
// even if the part before is known.
func TestKnownPropfindsBroken(t *testing.T) {
	var k knownPropfinds
	body := namedPropfind("getetag")
	if _, err := k.read(strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	broken := io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := k.read(broken); err == nil {
		t.Error("no error")
	}
}

// TestKnownPropfindsBound: when the maximum number is kept, new ones replace the old
// ones.
func TestKnownPropfindsBound(t *testing.T) {
	var k knownPropfinds
	for i := range 3*maxKnownPropfinds + 1 {
		body := namedPropfind(fmt.Sprint("p", i))
		if _, err := k.read(strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		known := *k.known.Load()
		if _, kept := known[body]; !kept || len(known) > maxKnownPropfinds {
			t.Fatalf("after %d: %d are kept, the last of them: %v", i, len(known), kept)
		}
	}
}

// TestKnownPropfindsHeader: even for a known body, the encoding in the headers is
// checked (RFC 7303 §3.2, RFC 9110 §15.5.16).
func TestKnownPropfindsHeader(t *testing.T) {
	h := &Handler{}
	for _, tt := range []struct {
		field, value string
		status       int
	}{
		{"Content-Type", "application/xml", 0},
		{"Content-Type", `text/xml; charset="utf-8"`, 0},
		{"Content-Type", `text/xml; charset="iso-8859-1"`, http.StatusUnsupportedMediaType},
		{"Content-Encoding", "gzip", http.StatusUnsupportedMediaType},
	} {
		r := requestWith("PROPFIND", tt.field, tt.value)
		body := namedPropfind("getetag")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		_, err := readPropfind(h, r)
		if tt.status == 0 && err != nil || tt.status != 0 && status.Of(err) != tt.status {
			t.Errorf("%s: %s: %v", tt.field, tt.value, err)
		}
	}
}
