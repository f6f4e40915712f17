package netrc

import (
	"os"
	"path/filepath"
	"testing"
)

const sample = `# machine hidden.example login no password no
machine a.example login ann password a1
machine a.example
	login bob
	password b1
machine b.example login machine password default
macdef init
machine c.example login eve password e1

machine d.example account x login dan password d1
machine e.example password only
default login anybody password any
`

func TestParse(t *testing.T) {
	for _, c := range []struct {
		host, user string
		want       Login
		found      bool
	}{
		{"a.example", "", Login{"ann", "a1"}, true},
		{"A.Example", "ann", Login{"ann", "a1"}, true},
		{"a.example", "bob", Login{"bob", "b1"}, true},
		{"a.example", "eve", Login{}, false},
		{"b.example", "", Login{"machine", "default"}, true},
		{"c.example", "", Login{"anybody", "any"}, true},
		{"d.example", "", Login{"dan", "d1"}, true},
		{"e.example", "", Login{"", "only"}, true},
		{"hidden.example", "", Login{"anybody", "any"}, true},
	} {
		login, found := parse(sample, c.host, c.user)
		if found != c.found || found && login != c.want {
			t.Errorf("%s %q: %v %v, want %v %v", c.host, c.user, login, found, c.want, c.found)
		}
	}
	for _, broken := range []string{"machine", "machine a login", "login", "default password", "macdef"} {
		if login, found := parse(broken, "a", "b"); found {
			t.Errorf("%q: %v", broken, login)
		}
	}
}

func TestLookup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", file)
	if _, found, err := Lookup("a.example", ""); found || err != nil {
		t.Errorf("without a file: %v, %v", found, err)
	}
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	if login, found, err := Lookup("a.example", "bob"); !found || err != nil || login.Password != "b1" {
		t.Errorf("%v %v %v", login, found, err)
	}
	t.Setenv("NETRC", filepath.Dir(file))
	if _, _, err := Lookup("a.example", ""); err == nil {
		t.Error("no error for what can't be read")
	}
}
