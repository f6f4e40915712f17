package dav

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/davd/davd/dav/internal/status"
)

// FuzzLockBody: a body is accepted or refused with a 4xx, and the owner is written
// exactly as it was read.
func FuzzLockBody(f *testing.F) {
	for _, s := range []string{
		`<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>me</D:href></D:owner></D:lockinfo>`,
		`<lockinfo xmlns="DAV:" xmlns:x="urn:x"><locktype><write/></locktype><lockscope><shared/></lockscope><owner> <x:a b="c"><![CDATA[<]]></x:a>&lt;</owner></lockinfo>`,
		`<lockinfo xmlns="DAV:"><lockscope/><locktype/></lockinfo>`, "", `<!DOCTYPE a>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := readLockinfo(new(Handler), &http.Request{Body: io.NopCloser(bytes.NewReader(body))})
		if err != nil {
			switch s := status.Of(err); s {
			case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
			default:
				t.Fatalf("status %d: %v", s, err)
			}
			return
		}
		if info == nil {
			return
		}
		written := `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>` +
			info.OwnerXML + `</D:owner></D:lockinfo>`
		again, err := readLockinfo(new(Handler), &http.Request{Body: io.NopCloser(bytes.NewReader([]byte(written)))})
		if err != nil || again.OwnerXML != info.OwnerXML {
			t.Fatalf("%q is written as %s, and comes back as %+v, %v", info.OwnerXML, written, again, err)
		}
	})
}
