package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestHelpFitsTheTerminal(t *testing.T) {
	for _, help := range []string{
		overview, commandHelp(serveUsage, serveAbout, serveFlags()), commandHelp(clientsUsage, clientsAbout, clientsFlags()),
	} {
		for line := range strings.Lines(help) {
			if len(strings.TrimSuffix(line, "\n")) > helpWidth {
				t.Errorf("longer than %d characters: %s", helpWidth, line)
			}
		}
	}
}

// TestFlagsHaveVariables checks that each flag of davd serve has an environment variable.
func TestFlagsHaveVariables(t *testing.T) {
	for _, flag := range serveFlags() {
		name := flag.Names()[0]
		documented, ok := flag.(cli.DocGenerationFlag)
		if !ok || !slices.Equal(documented.GetEnvVars(), []string{envVar(name)}) {
			t.Errorf("--%s is not %s in the environment", name, envVar(name))
		}
	}
}
