package litmus

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// davConfig makes Apache httpd serve $share over WebDAV, with mod_dav_fs.
const davConfig = apacheBase + `
LoadModule mime_module ` + apacheModules + `mod_mime.so
LoadModule dav_module ` + apacheModules + `mod_dav.so
LoadModule dav_fs_module ` + apacheModules + `mod_dav_fs.so
TypesConfig $dir/types
DavLockDB $dir/locks
DocumentRoot $share
<Directory $share>
	Dav On
	DavDepthInfinity On
	Require all granted
</Directory>
`

// listing is the content of a multi-status: the element of each property with status 200, by
// href and name.
type listing map[string]map[string]*element

// apartFromApache lists the properties that may differ between davd and Apache, with the reasons.
var apartFromApache = map[string]string{
	"DAV: creationdate":                       "Apache shows the time of the last change of the inode, davd that of its birth",
	"DAV: displayname":                        "Apache has none",
	"DAV: getetag":                            "an entity tag is the server's own",
	"DAV: getcontenttype":                     "Apache calls a collection httpd/unix-directory, and has none for an unknown file",
	"http://apache.org/dav/props/ executable": "Apache's own",
	"DAV: getlastmodified":                    "compared below",
}

// TestListingsLikeApache compares davd's listings of a tree with those of Apache httpd, as XML
// infosets.
func TestListingsLikeApache(t *testing.T) {
	share, dir := publicDir(t), publicDir(t)
	plantListing(t, share)
	port := freePort(t)
	config := strings.NewReplacer("$dir", dir, "$share", share, "$port", port).Replace(davConfig)
	for name, content := range map[string]string{"config": config, "types": "text/plain txt\nimage/jpeg jpg\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	background(t, dir, apacheProgram, "-d", dir, "-f", filepath.Join(dir, "config"), "-DFOREGROUND")
	awaitPort(t, port)
	davd := serve(t, share)
	for _, c := range []struct{ name, depth, body string }{
		{"RFC 4918 §9.1.5: allprop", "infinity", `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`},
		{"RFC 4918 §9.1: no body", "infinity", ""},
		{"RFC 4918 §9.1.3: named", "infinity", `<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:supportedlock/><D:lockdiscovery/></D:prop></D:propfind>`},
		{"RFC 4918 §9.1: Depth 1", "1", ""},
		{"RFC 4918 §9.1: Depth 0", "0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours := list(t, davd.url, c.depth, c.body)
			theirs := list(t, "http://127.0.0.1:"+port+"/", c.depth, c.body)
			if a, b := slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)); !slices.Equal(a, b) || len(a) == 0 {
				t.Fatalf("davd lists %q, Apache %q", a, b)
			}
			for href, properties := range theirs {
				for name, theirs := range properties {
					if ours := ours[href][name]; apartFromApache[name] == "" && (ours == nil || ours.String() != theirs.String()) {
						t.Errorf("%s of %s: davd %v, Apache %v", name, href, ours, theirs)
					}
				}
				if a, b := httpDate(t, ours[href]), httpDate(t, properties); !a.Equal(b) {
					t.Errorf("getlastmodified of %s: davd %v, Apache %v", href, a, b)
				}
				for name := range ours[href] {
					if _, has := properties[name]; !has && apartFromApache[name] == "" {
						t.Errorf("only davd has %s of %s", name, href)
					}
				}
			}
		})
	}
}

func httpDate(t *testing.T, properties map[string]*element) time.Time {
	t.Helper()
	date, err := http.ParseTime(properties["DAV: getlastmodified"].text())
	if err != nil {
		t.Fatal(err)
	}
	return date
}

// plantListing creates files whose names have to be escaped in URLs and XML.
func plantListing(t *testing.T, share string) {
	t.Helper()
	for _, name := range []string{
		"plain.txt", "a b.txt", "100%.jpg", "a&b<c>.txt", "q?x#y.txt", "zoë.txt", "日本語/漢字.txt", "deep/er/est/f", "empty/", "quote's \"x\".txt", "semi;colon,comma.txt",
	} {
		full := filepath.Join(share, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.Mkdir(full, 0o755)
		} else {
			err = os.WriteFile(full, []byte("content of "+name), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// list requests a listing. The hrefs are unescaped, so that they can be compared.
func list(t *testing.T, target, depth, body string) listing {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "PROPFIND", target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Depth", depth)
	request.Header.Set("Content-Type", "application/xml")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMultiStatus {
		t.Fatalf("PROPFIND of %s: %s", target, response.Status)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := make(listing)
	for _, r := range parseElement(t, string(raw)).content {
		href, err := url.Parse(r.find("href").text())
		if err != nil {
			t.Fatal(err)
		}
		if found[href.Path] != nil {
			t.Errorf("%s is listed twice", href.Path)
		}
		found[href.Path] = propertiesOf(r)
	}
	return found
}

// propertiesOf returns the elements of the properties with status 200.
func propertiesOf(response *element) map[string]*element {
	properties := make(map[string]*element)
	for _, propstat := range response.content {
		if propstat.name.Local != "propstat" || !strings.Contains(propstat.find("status").text(), " 200 ") {
			continue
		}
		for _, property := range propstat.find("prop").content {
			properties[property.name.Space+" "+property.name.Local] = property
		}
	}
	return properties
}
