package setting_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// TestFile checks that a flag and the environment variable count more than a file, and that more
// than the default.
func TestFile(t *testing.T) {
	place := setting.Place{File: "davd.yaml", Line: 3, Column: 7}
	for _, tt := range []struct {
		name, env, flag, want, origin string
	}{
		{"a file", "", "", "c d", "davd.yaml:3:7: test-list"},
		{"a variable", "e", "", "e", "DAVD_TEST_LIST"},
		{"a flag", "", "f", "f", "--test-list"},
		{"all", "e", "f", "f", "--test-list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("DAVD_TEST_LIST", tt.env)
			var got []string
			s := &setting.Setting{Name: "test-list", Default: "a,b", Into: setting.List(&got, setting.Text)}
			s.SetFile(".", setting.Origin{Name: s.Name, Place: place}, setting.Written{Text: "c"}, setting.Written{Text: "d"})
			if tt.flag != "" {
				if err := s.Set(tt.flag); err != nil {
					t.Fatal(err)
				}
			}
			s.ReadEnv()
			copied := &setting.Setting{Name: s.Name, Default: s.Default, Into: setting.List(&got, setting.Text)}
			copied.CopyCommandLine(s)
			if err := s.Read(); err != nil {
				t.Fatal(err)
			}
			if want := []string{"c", "d"}; tt.env+tt.flag == "" && !slices.Equal(got, want) || tt.env+tt.flag != "" && !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
			if origin := s.Origin().String(); origin != tt.origin {
				t.Errorf("the origin is %s, want %s", origin, tt.origin)
			}
			if effective := copied.Effective(); tt.env+tt.flag == "" && !slices.Equal(effective, []string{"a", "b"}) {
				t.Errorf("the command line has %q", effective)
			}
		})
	}
}

// TestFileError checks that an error names the place of the wrong element.
func TestFileError(t *testing.T) {
	var got []int
	s := &setting.Setting{Name: "counts", Into: setting.List(&got, setting.Count)}
	s.SetFile(".", setting.Origin{Name: "a.counts", Place: setting.Place{File: "f", Line: 1, Column: 1}},
		setting.Written{Text: "1", Place: setting.Place{File: "f", Line: 1, Column: 2}},
		setting.Written{Text: "0", Place: setting.Place{File: "f", Line: 1, Column: 5}})
	err := s.Read()
	if wrong, ok := errors.AsType[*setting.Error](err); !ok || wrong.Error() != `f:1:5: a.counts: "0" is not a whole number above 0: write 1 or more` {
		t.Errorf("got error %v", err)
	}
}

// TestRelative checks that paths in a file are relative to its directory.
func TestRelative(t *testing.T) {
	var files []string
	var file string
	absolute, err := filepath.Abs("x")
	if err != nil {
		t.Fatal(err)
	}
	one := &setting.Setting{Name: "file", Into: setting.File(&file)}
	all := &setting.Setting{Name: "files", Into: setting.Files(&files)}
	one.SetFile("dir", setting.Origin{Name: "file"}, setting.Written{Text: "a"})
	all.SetFile("dir", setting.Origin{Name: "files"}, setting.Written{Text: "b,c"}, setting.Written{Text: absolute})
	if wrong := setting.ReadAll([]*setting.Setting{one, all}); wrong != nil {
		t.Fatal(wrong)
	}
	if want := []string{filepath.Join("dir", "b,c"), absolute}; file != filepath.Join("dir", "a") || !slices.Equal(files, want) {
		t.Errorf("got %q and %q", file, files)
	}
	if err := all.Set("d,e"); err != nil {
		t.Fatal(err)
	}
	if err := all.Read(); err != nil || !slices.Equal(files, []string{"d,e"}) {
		t.Errorf("got %q, error %v", files, err)
	}
}

func TestClosest(t *testing.T) {
	candidates := []string{"symlinks", "read-only", "rights", "id", "addr"}
	for word, want := range map[string]string{
		"symlink": "symlinks", "readonly": "read-only", "right": "rights", "RIGHTS": "rights", "rihgts": "rights",
		"adr": "addr", "ids": "id", "nothing": "", "x": "", "": "",
	} {
		if got := setting.Closest(word, candidates); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := setting.DidYouMean("symlink", candidates); got != "; did you mean symlinks?" {
		t.Errorf("got %q", got)
	}
}
