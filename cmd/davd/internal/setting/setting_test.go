package setting_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// TestPrecedence checks that a flag counts more than the environment variable, and that more
// than the default. An empty text counts as none.
func TestPrecedence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		env   string
		flags []string
		want  string
	}{
		{"nothing", "", nil, "a b"},
		{"the environment", "c, d,", nil, "c d"},
		{"a flag", "c", []string{"e"}, "e"},
		{"two flags", "c", []string{"e", "f,g"}, "e f g"},
		{"an empty flag", "c", []string{""}, "a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("DAVD_TEST_LIST", tt.env)
			var got []string
			s := &setting.Setting{Name: "test-list", Default: "a,b", Into: setting.List(&got, setting.Text)}
			for _, text := range tt.flags {
				if err := s.Set(text); err != nil {
					t.Fatal(err)
				}
			}
			s.ReadEnv()
			for range 2 { // the second time gives the same
				if err := s.Read(); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, strings.Fields(tt.want)) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
		})
	}
}

// TestOrigin checks that an error names the place where the operator wrote the text.
func TestOrigin(t *testing.T) {
	for _, tt := range []struct{ env, flag, want string }{
		{"x", "", `DAVD_TEST_WORD: unknown value "x": write a, b or c`},
		{"x", "y", `--test-word: unknown value "y": write a, b or c`},
		{"", "y", `--test-word: unknown value "y": write a, b or c`},
		{"x", "b", ""},
	} {
		t.Setenv("DAVD_TEST_WORD", tt.env)
		var word string
		s := &setting.Setting{Name: "test-word", Default: "a", Into: setting.Word(&word, "a", "b", "c")}
		if tt.flag != "" {
			if err := s.Set(tt.flag); err != nil {
				t.Fatal(err)
			}
		}
		s.ReadEnv()
		err := s.Read()
		if wrong, ok := errors.AsType[*setting.Error](err); ok != (tt.want != "") || ok && (wrong.Error() != tt.want || wrong.Name != "test-word") {
			t.Errorf("%q, %q: got error %v, want %s", tt.env, tt.flag, err, tt.want)
		}
	}
}

// TestFlagOnly checks that no environment variable sets a setting that is only a flag.
func TestFlagOnly(t *testing.T) {
	t.Setenv("DAVD_TEST_SWITCH", "true")
	var on bool
	s := &setting.Setting{Name: "test-switch", FlagOnly: true, Into: setting.Switch(&on)}
	s.ReadEnv()
	if err := s.Read(); err != nil || on {
		t.Errorf("it is on: %t, error %v", on, err)
	}
}
