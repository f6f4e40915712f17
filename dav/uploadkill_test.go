//go:build unix

package dav_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// ask sends a request to the handler of a site.
func (s *site) ask(method, target, body string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// again opens the site in dir as after a restart.
func again(t *testing.T, dir string) *site {
	t.Helper()
	s, err := openSite(dir, "exchange", func() {})
	must(t, err)
	_, err = s.Recover(t.Context())
	must(t, err)
	return s
}

// members returns the names in a directory.
func members(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestUploadKilled kills the server at each step of a request about an upload. After a restart the
// offset is true, and the upload can be completed. If it has ended, nothing is left of it.
func TestUploadKilled(t *testing.T) {
	t.Parallel()
	const content = "0123456789"
	for _, request := range []struct {
		name, method, body string
		fields             []string
	}{
		{"create", "PUT", content[:4], []string{partly}},
		{"append", "PATCH", content[4:8], appended(4, partly)},
		{"complete", "PATCH", content[4:], appended(4, wholly)},
		{"cancel", "DELETE", "", nil},
	} {
		t.Run(request.name, func(t *testing.T) {
			t.Parallel()
			for step := int64(1); ; step++ {
				dir := t.TempDir()
				must(t, os.Mkdir(filepath.Join(dir, "share"), 0o777))
				v := victim{Dir: dir, Way: "exchange", Step: step}
				target := "/file"
				if request.method != "PUT" {
					s := again(t, dir)
					target = s.ask("PUT", "/file", content[:4], partly).Header().Get("Location")
					must(t, s.close())
				}
				header := map[string]string{}
				for _, field := range request.fields {
					name, value, _ := strings.Cut(field, ": ")
					header[name] = value
				}
				v.Requests = []victimRequest{{Method: request.method, Path: target, Header: header, Body: request.body}}
				done := runVictim(t, v) != ""
				t.Run(strconv.FormatInt(step, 10), func(t *testing.T) { checkKilledUpload(t, dir, content, request.name) })
				if done {
					break
				}
			}
		})
	}
}

// checkKilledUpload continues the upload after a kill.
func checkKilledUpload(t *testing.T, dir, content, request string) {
	t.Helper()
	s := again(t, dir)
	defer func() { must(t, s.close()) }()
	share := filepath.Join(dir, "share")
	all, err := s.db.AllUploads(t.Context())
	must(t, err)
	if len(all) > 0 {
		at := "/" + dav.UploadName + "/" + all[0].ID
		head := s.ask("HEAD", at, "")
		offset, err := strconv.Atoi(head.Header().Get("Upload-Offset"))
		switch {
		case head.Code == http.StatusNotFound && (request == "create" || request == "cancel"):
		case head.Code != http.StatusNoContent || err != nil || offset > len(content):
			t.Fatalf("HEAD is %d, %v", head.Code, head.Header())
		case head.Header().Get("Upload-Complete") == "?1":
		default:
			if a := s.ask("PATCH", at, content[offset:], appended(offset, wholly)...); a.Code != http.StatusCreated {
				t.Fatalf("the upload can't be completed: %d, %s", a.Code, a.Body)
			}
		}
	}
	names := members(t, share)
	if len(names) == 0 && (request == "create" || request == "cancel") {
		return
	}
	got, err := os.ReadFile(filepath.Join(share, "file"))
	if err != nil || string(got) != content || len(names) != 1 {
		t.Errorf("the file has %q, %v; the share has %q", got, err, names)
	}
}

// TestUploadSurvives checks that an upload survives a restart and expires after it.
func TestUploadSurvives(t *testing.T) {
	dir := t.TempDir()
	share := filepath.Join(dir, "share")
	must(t, os.Mkdir(share, 0o777))
	s := again(t, dir)
	at := s.ask("PUT", "/file", "0123", partly).Header().Get("Location")
	must(t, s.Shutdown(t.Context()))
	must(t, s.close())
	s = again(t, dir)
	if a := s.ask("PATCH", at, "45", appended(4, partly)...); a.Code != http.StatusNoContent {
		t.Errorf("status %d", a.Code)
	}
	if names := members(t, share); len(names) != 1 || !storage.Reserved("/"+names[0]) {
		t.Errorf("the share has %q", names)
	}
	must(t, s.Shutdown(t.Context()))
	all, err := s.db.AllUploads(t.Context())
	must(t, err)
	all[0].Expires = all[0].Expires.AddDate(0, 0, -2)
	must(t, s.db.SaveUpload(t.Context(), all[0]))
	must(t, s.close())
	s = again(t, dir)
	defer func() { must(t, s.close()) }()
	if names := members(t, share); len(names) > 0 {
		t.Errorf("the share has %q", names)
	}
	if a := s.ask("HEAD", at, ""); a.Code != http.StatusNotFound {
		t.Errorf("status %d", a.Code)
	}
}
