package storage_test

import (
	"path"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
)

func TestClean(t *testing.T) {
	for name, want := range map[string]string{
		"":               "/",
		"/":              "/",
		".":              "/",
		"..":             "/",
		"/..":            "/",
		"a":              "/a",
		"/a/":            "/a",
		"//a///b//":      "/a/b",
		"/a/./b/../c":    "/a/c",
		"/../../a":       "/a",
		"/a/../../../b/": "/b",
		"/a%2F../b":      "/a%2F../b",
		`/a\..\b`:        `/a\..\b`,
		"/ /\n/\x00":     "/ /\n/\x00",
		"/\xff":          "/\xff",
	} {
		if got := storage.Clean(name); got != want {
			t.Errorf("Clean(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"/.davd-x":  true,
		"/.DAV":     true,
		"/a/.DAV/b": true,
		"/.DAVx":    false,
		"/.davd-":   true,

		"/a/.nfs00000000001a2b3c00000001": true,
		"/.nfs00000000001a2b3c00000001/b": true,
		"/.NFS00000000001A2B3C00000001":   true,
		"/.nfs00000000001a2b3c0000000":    false,
		"/.nfs00000000001a2b3c000000012":  false,
		"/.nfs00000000001a2b3c0000000g":   false,
		"/.nfsrc":                         false,
		"/a/.davd-x":                      true,
		"/a/.davd-x/b":                    true,
		"/.davd-x/b/c":                    true,
		"/a/.DAVD-x/b":                    true,
		"/.DavD-State":                    true,
		".davd-x":                         true,
		"/.davd-é":                        true,
		"/":                               false,
		"":                                false,
		"/a":                              false,
		"/.davd":                          false,
		"/.davd/x":                        false,
		"/.davd/-x":                       false,
		"/x.davd-":                        false,
		"/x.davd-y":                       false,
		"/davd-x":                         false,
		"/ .davd-x":                       false,
		"/..davd-x":                       false,
		"/.davd_x":                        false,
		"/%2edavd-x":                      false,
		"/a/b/.dav":                       true, // A filesystem may fold names.
		"/.Dav/x":                         true,
		"/.DAV.":                          true,
		"/.DAV::$DATA":                    true,
		"/.davd-x:y":                      true,
		"/.da\u200dvd-x":                  true,
		"/\u200d.davd-x":                  true,
		"/\u00e9.davd-x":                  false,
		"/a.dav":                          false,
		"/.davfs":                         false,
		"/.dav\u212a-xxxx":                false,
	} {
		if got := storage.Reserved(name); got != want {
			t.Errorf("Reserved(%q) = %t, want %t", name, got, want)
		}
	}
}

func TestBeside(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"/a", "/a/b", "/a/b/c d", "/", "/\xff/x"} {
		for range 100 {
			got := storage.Beside(name)
			base := path.Base(got)
			if path.Dir(got) != path.Dir(name) || !storage.Reserved(got) || storage.Clean(got) != got {
				t.Errorf("Beside(%q) = %q; want a reserved name in the same collection", name, got)
			}
			if strings.ToLower(base) != base {
				t.Errorf("Beside(%q) = %q; want a name that folding doesn't change", name, got)
			}
			if seen[got] {
				t.Errorf("Beside(%q) = %q for the second time", name, got)
			}
			seen[got] = true
		}
	}
}
