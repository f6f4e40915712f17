package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// updateMessages returns whether to write the messages of bad files anew.
func updateMessages() bool {
	f := flag.Lookup("config.update")
	return f != nil && f.Value.String() == "true"
}

var _ = flag.Bool("config.update", false, "write the messages of testdata/config/*.bad.yaml")

// TestConfigFiles checks that the good files are valid, and what is said about the bad ones.
func TestConfigFiles(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "config"))
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		base, good := strings.CutSuffix(file, ".good.yaml")
		base, bad := strings.CutSuffix(base, ".bad.yaml")
		switch {
		case good:
			t.Run(base, func(t *testing.T) {
				if err := config.New(nil).LoadFile(file); err != nil {
					t.Error(err)
				}
			})
		case bad:
			t.Run(base, func(t *testing.T) { checkMessages(t, file, base+".bad.txt") })
		}
	}
}

func checkMessages(t *testing.T, file, messages string) {
	err := config.New(nil).LoadFile(file)
	if _, ok := errors.AsType[config.FileErrors](err); !ok {
		t.Fatalf("got error %v, want problems of the file", err)
	}
	if updateMessages() {
		if err := os.WriteFile(messages, []byte(err.Error()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err2 := os.ReadFile(messages)
	if err2 != nil {
		t.Fatal(err2)
	}
	if err.Error()+"\n" != string(want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("a message has a password")
	}
}

// TestShowFitsTheTerminal checks the width of the table, that all settings are in it, and that it
// hides passwords.
func TestShowFitsTheTerminal(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "config"))
	for _, file := range []string{"family.good.yaml", "company.good.yaml"} {
		cfg := config.New(nil)
		if err := cfg.LoadFile(file); err != nil {
			t.Fatal(err)
		}
		var table, document bytes.Buffer
		if err := errors.Join(showTable(&table, cfg), showJSON(&document, cfg)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(table.String()) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > helpWidth {
				t.Errorf("longer than %d characters: %s", helpWidth, line)
			}
		}
		if strings.Contains(table.String()+document.String(), "$2y$") {
			t.Errorf("a hash is shown in\n%s\n%s", &table, &document)
		}
		for _, s := range cfg.Settings() {
			if s.Name != "config" && !strings.Contains(table.String(), "\n"+s.Name+" ") {
				t.Errorf("%s is not in the table", s.Name)
			}
		}
	}
}
