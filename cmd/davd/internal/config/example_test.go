package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
)

func example(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := config.Example(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestExample checks that the example is valid as it is, with the defaults of all settings, and
// with all sections, and that the defaults are those of a davd without a file.
func TestExample(t *testing.T) {
	text := example(t)
	settings := regexp.MustCompile(`(?m)^#([a-z][a-z-]*:.*)$`)
	top, sections, _ := strings.Cut(text, "## === Shares ===")
	for name, text := range map[string]string{
		"as it is":      text,
		"with settings": settings.ReplaceAllString(top, "$1") + sections,
	} {
		t.Run(name, func(t *testing.T) {
			want, err := read(given{"DIR": "/srv"})
			if err != nil {
				t.Fatal(err)
			}
			got := config.New(nil)
			if err := got.Setting("config").Set(filepath.Join(write(t, map[string]string{"davd.yaml": text}), "davd.yaml")); err != nil {
				t.Fatal(err)
			}
			if err := got.Load("/srv"); err != nil {
				t.Fatal(err)
			}
			if changes := config.Diff(want, got); changes.Applied != nil || changes.Restart != nil {
				t.Errorf("it differs from the defaults: %+v", changes)
			}
			sameFields(t, got, want)
		})
	}
}

// TestExampleSections checks that all keys of the example are valid together.
func TestExampleSections(t *testing.T) {
	dir := write(t, map[string]string{"photos/x": "", "manual.zip": ""})
	text := regexp.MustCompile(`(?m)^#([^#\n])`).ReplaceAllString(example(t), "$1")
	text = strings.ReplaceAll(text, "/srv/", dir+"/")
	text = strings.Replace(text, "trusted-proxy:", "trusted-proxy: 10.0.0.1", 1)
	c := config.New(nil)
	if err := c.LoadFile(filepath.Join(write(t, map[string]string{"davd.yaml": text}), "davd.yaml")); err != nil {
		t.Fatal(err)
	}
	if len(c.Shares) != 5 || len(c.Users) != 2 || len(c.Groups) != 1 || c.LDAP == nil || c.UserHeader == nil {
		t.Errorf("there are %d shares, %d users, %d groups, %v and %v", len(c.Shares), len(c.Users), len(c.Groups), c.LDAP, c.UserHeader)
	}
}

// TestDocumented checks that the examples in the documentation are valid.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../../../docs/configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, map[string]string{"photos/x": "", "home/x": "", "handbook/x": "", "inbox/x": "", "sales/x": ""})
	examples := regexp.MustCompile("(?s)```yaml file=\\S+\n(.*?)```").FindAllSubmatch(page, -1)
	if len(examples) != 3 {
		t.Fatalf("there are %d examples", len(examples))
	}
	text := func(i int) string { return strings.ReplaceAll(string(examples[i][1]), "/srv/", dir+"/") }
	files := write(t, map[string]string{"family.yaml": text(0), "company.yaml": text(1), "departments/sales.yaml": text(2)})
	for name, shares := range map[string]int{"family.yaml": 2, "company.yaml": 4} {
		c := config.New(nil)
		if err := c.LoadFile(filepath.Join(files, name)); err != nil || len(c.Shares) != shares {
			t.Errorf("%s has %d shares, error %v", name, len(c.Shares), err)
		}
	}
}
