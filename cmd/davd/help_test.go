package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestHelpFitsTheTerminal(t *testing.T) {
	texts := map[string]string{"davd": overview}
	for _, command := range commands(&program{}) {
		texts[command.name] = command.help()
	}
	for name, help := range texts {
		for line := range strings.Lines(help) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > helpWidth {
				t.Errorf("%s: longer than %d characters: %s", name, helpWidth, line)
			}
		}
	}
}

// TestFlagsHaveVariables checks that the settings of davd serve, and those of the connection to
// a server, have an environment variable.
func TestFlagsHaveVariables(t *testing.T) {
	for _, command := range commands(&program{}) {
		for _, s := range command.settings {
			if s.Title != flagGroup && s.EnvVar() != "DAVD_"+strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_")) {
				t.Errorf("davd %s --%s is %q in the environment", command.name, s.Name, s.EnvVar())
			}
		}
	}
}

// TestDocsNameFlags checks that the flags and variables in the documents exist. Those of other
// programs are listed here.
func TestDocsNameFlags(t *testing.T) {
	known := map[string]bool{
		"--help": true, "--version": true,
		"--max-time": true, "--now": true, "--tmpfs": true, "--webdav-url": true, "--webdav-vendor": true,
		"DAVD_PASSWORD": true, "DAVD_SWEEP": true, "DAVD_SEED": true, "DAVD_COST": true, "DAVD_CHAOS": true, "DAVD_PAGE_SPEED": true, "DAVD_BEFORE": true, "DAVD_PICTURES": true, "DAVD_PICTURES_ONLY": true,
	}
	for _, command := range commands(&program{}) {
		for _, s := range command.settings {
			known["--"+s.Name], known[s.EnvVar()] = true, true
		}
	}
	var files []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	name := regexp.MustCompile(`--[a-z][a-z-]*|DAVD_[A-Z_]*`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range name.FindAllString(string(text), -1) {
			if !known[found] {
				t.Errorf("%s: %s does not exist", file, found)
			}
		}
	}
}
