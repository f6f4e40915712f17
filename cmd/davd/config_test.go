package main

import (
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
