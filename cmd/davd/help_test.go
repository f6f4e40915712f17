package main

import (
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
		for _, group := range command.settings {
			for _, s := range group.Settings {
				if group.Title != flagGroup && s.EnvVar() != "DAVD_"+strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_")) {
					t.Errorf("davd %s --%s is %q in the environment", command.name, s.Name, s.EnvVar())
				}
			}
		}
	}
}
