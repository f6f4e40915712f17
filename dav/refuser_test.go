package dav_test

import (
	"maps"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/storagetest"
)

// TestRefuser: no request reaches a storage through a decorator that refuses everything.
func TestRefuser(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	was := storagetest.ReadTree(t, s.fsys, "/")
	s.h.FileSystem = storagetest.Refuser{Inner: &storagetest.Fault{FS: s.fsys, Before: func(op, name string) error {
		t.Errorf("%s of %s is called", op, name)
		return nil
	}}}
	for _, r := range []struct{ method, name, body, header string }{
		{"GET", "/f", "", ""},
		{"GET", "/c/", "", ""},
		{"HEAD", "/f", "", ""},
		{"PUT", "/f", "new", ""},
		{"PUT", "/new", "new", ""},
		{"PATCH", "/f", "new", "Content-Range: bytes 0-2/*"},
		{"MKCOL", "/new", "", ""},
		{"DELETE", "/f", "", ""},
		{"DELETE", "/c/", "", ""},
		{"COPY", "/c/", "", "Destination: /new"},
		{"COPY", "/f", "", "Destination: /c/m"},
		{"MOVE", "/c/", "", "Destination: /new"},
		{"MOVE", "/f", "", "Destination: /c/m"},
		{"PROPFIND", "/c/", askAll, "Depth: infinity"},
		{"PROPFIND", "/f", askAll, "Depth: 0"},
		{"PROPPATCH", "/f", instructions(set("<x:a/>")), ""},
		{"LOCK", "/new", lockBody, ""},
	} {
		headers := []string{}
		if r.header != "" {
			headers = append(headers, r.header)
		}
		if a := s.send(r.method, r.name, r.body, headers...); a.status < 400 {
			t.Errorf("%s %s: %d", r.method, r.name, a.status)
		}
	}
	if is := storagetest.ReadTree(t, s.fsys, "/"); !maps.Equal(is, was) {
		t.Errorf("the storage contains %q\nwant %q", is, was)
	}
}
