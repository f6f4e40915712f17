package state

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFence(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	if fence("") != nil {
		t.Error("there is a fence without a program")
	}
	dir := t.TempDir()
	program, said := filepath.Join(dir, "fence"), filepath.Join(dir, "said")
	script := "#!/bin/sh\necho \"$*\" >" + said + "\necho no power switch\ntest \"$2\" = known\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fence(program)(t.Context(), "epoch", "known", "192.0.2.1"); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(said); err != nil || string(got) != "epoch known 192.0.2.1\n" {
		t.Errorf("the program got %q, %v", got, err)
	}
	if err := fence(program)(t.Context(), "epoch", "other", ""); err == nil || !strings.Contains(err.Error(), "no power switch") {
		t.Errorf("the error of the program is %v", err)
	}
}
