package listing

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/davd/davd/dav/internal/davxml"
)

func namedPropfind(local string) string {
	return `<propfind xmlns="DAV:"><prop><` + local + `/></prop></propfind>`
}

// TestKnownPropfinds: a remembered body keeps its meaning, and only short, well-formed
// bodies are remembered.
func TestKnownPropfinds(t *testing.T) {
	long := namedPropfind("getetag") + strings.Repeat(" ", MaxKnownBody)
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
		{"the longest that is kept", long[:MaxKnownBody-1], true},
		{"longer", long[:MaxKnownBody], false},
		{"much longer", long, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var k Queries
			want, wantErr := davxml.ParsePropfind(strings.NewReader(tt.body))
			for range 3 {
				// The body is read in pieces, while others use the same memory.
				got, err := k.Parse(iotest.OneByteReader(strings.NewReader(tt.body)))
				if !reflect.DeepEqual(got, newQuery(want)) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("%+v, %v, want %+v, %v", got, err, want, wantErr)
				}
				if cap(got.Props) != len(got.Props) {
					t.Error("who appends to the properties changes those of others")
				}
				if _, err := new(Queries).Parse(strings.NewReader(namedPropfind("other"))); err != nil {
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
	var k Queries
	body := namedPropfind("getetag")
	if _, err := k.Parse(strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	broken := io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := k.Parse(broken); err == nil {
		t.Error("no error")
	}
}

// TestKnownPropfindsBound: when the maximum number is kept, new ones replace the old
// ones.
func TestKnownPropfindsBound(t *testing.T) {
	var k Queries
	for i := range 3*maxKnownPropfinds + 1 {
		body := namedPropfind(fmt.Sprint("p", i))
		if _, err := k.Parse(strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		known := *k.known.Load()
		if _, kept := known[body]; !kept || len(known) > maxKnownPropfinds {
			t.Fatalf("after %d: %d are kept, the last of them: %v", i, len(known), kept)
		}
	}
}
