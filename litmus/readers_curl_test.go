package litmus

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// curlReader passes davd's listing to the XML parser of Go.
var curlReader = reader{
	name: "curl", needs: []string{"curl"}, version: printed("curl", "--version"), accepts: true, when: unixTime,
	read: func(t *testing.T, base string, _ []string) shown {
		t.Helper()
		args := []string{"--disable", "--no-progress-meter", "--fail", "--noproxy", "*", "--compressed", "--request", "PROPFIND", "--header", "Depth: infinity", base + "/"}
		run := client{name: "curl", args: args, home: t.TempDir()}.mustRun(t)
		return parseListing(t, run.stdout)
	},
}

// parseListing parses a multi-status. No resource may lack a property.
func parseListing(t *testing.T, body string) shown {
	t.Helper()
	var answer struct {
		XMLName   xml.Name `xml:"DAV: multistatus"`
		Responses []struct {
			Href      string `xml:"DAV: href"`
			Propstats []struct {
				Status string `xml:"DAV: status"`
				Prop   struct {
					Type struct {
						Collection *struct{} `xml:"DAV: collection"`
					} `xml:"DAV: resourcetype"`
					Size     int64  `xml:"DAV: getcontentlength"`
					Modified string `xml:"DAV: getlastmodified"`
				} `xml:"DAV: prop"`
			} `xml:"DAV: propstat"`
		} `xml:"DAV: response"`
	}
	if err := xml.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("the multi-status is not well-formed: %v", err)
	}
	found := make(shown)
	for _, r := range answer.Responses {
		href, err := url.Parse(r.Href)
		if err != nil || href.RawQuery != "" || href.Fragment != "" || !strings.HasPrefix(r.Href, "/") {
			t.Fatalf("href %q: %v", r.Href, err)
		}
		if len(r.Propstats) != 1 || r.Propstats[0].Status != "HTTP/1.1 200 OK" {
			t.Fatalf("%s: %+v", r.Href, r.Propstats)
		}
		prop := r.Propstats[0].Prop
		collection := prop.Type.Collection != nil
		if collection != strings.HasSuffix(r.Href, "/") {
			t.Errorf("%s: collection %v, but the slash at its end", r.Href, collection)
		}
		when, err := http.ParseTime(prop.Modified)
		if err != nil || when.UTC().Format(http.TimeFormat) != prop.Modified {
			t.Errorf("getlastmodified of %s: %q, %v", r.Href, prop.Modified, err)
		}
		if href.Path != "/" {
			found.note(t, strings.Trim(href.Path, "/"), describe(collection, prop.Size, unixTime(when)))
		}
	}
	return found
}
