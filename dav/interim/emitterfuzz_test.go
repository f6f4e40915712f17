package interim

import (
	"math"
	"net/http"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/davd/davd/dav/internal/field"
)

// FuzzInterimHeader: with any names and numbers, there is one Progress, in ASCII, and
// an interim response is shorter than 1 KiB.
func FuzzInterimHeader(f *testing.F) {
	f.Add("/a", "b c", int64(1), int64(2), int64(3), int64(4), "davd.test", uint8(3))
	f.Add("/", strings.Repeat("ä", 130), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), "[::1]:8080", uint8(64))
	f.Add("/a", "\"\\\r\n)", int64(0), int64(0), int64(0), int64(0), strings.Repeat("x", 900), uint8(64))
	f.Fuzz(func(t *testing.T, root, member string, done, known, bytes, knownBytes int64, host string, outcomes uint8) {
		root = path.Clean("/" + root)
		current := path.Clean("/" + root + "/" + member)
		if current != root && !strings.HasPrefix(current, strings.TrimSuffix(root, "/")+"/") {
			return // .. in member
		}
		progress := Progress{
			Done: max(done, 0), Known: max(known, 0), Bytes: max(bytes, 0), KnownBytes: max(knownBytes, 0), Final: true, Current: current,
		}
		monitor := new(memberCount)
		taken := monitor.Subscribe()
		for i := range outcomes {
			failed := 0
			if i%2 == 0 {
				failed = http.StatusForbidden
			}
			monitor.finish(current, failed)
		}
		e := &Emitter{grant: Grant{Asked: true, Limit: unlimited}, outcomes: taken, about: Emission{
			Policy: &Policy{}, Monitor: monitor, Root: root, Success: http.StatusCreated,
			URL: func(name string) string { return "http://" + host + string(field.AppendHref(nil, "", name, false)) },
		}}
		header := e.header(progress)
		value := header.Get("Progress")
		if !progressABNF.MatchString(value) {
			t.Fatalf("%q is not a Progress", value)
		}
		if size := interimOverhead + headerSize(header); size >= 1024 {
			t.Fatalf("%d bytes in %q", size, header)
		}
		if uris := header["Status-URI"]; len(uris) > 0 && isASCII(host) {
			if !isASCII(uris[0]) {
				t.Fatalf("Status-URI is %q", uris[0])
			}
			if outcomes > 1 && !strings.HasPrefix(uris[0], "403 <") {
				t.Fatalf("a failure is not first in %q", uris[0])
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
