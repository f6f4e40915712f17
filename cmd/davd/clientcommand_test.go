package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestClientHelpFitsTheTerminal(t *testing.T) {
	for _, command := range (&program{}).clientCommands() {
		for line := range strings.Lines(command.CustomHelpTemplate) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > helpWidth {
				t.Errorf("longer than %d characters: %s", helpWidth, line)
			}
		}
	}
}

func TestConnectionFlagsHaveVariables(t *testing.T) {
	for _, flag := range connectionFlags() {
		name := flag.Names()[0]
		documented, ok := flag.(cli.DocGenerationFlag)
		if !ok || !slices.Equal(documented.GetEnvVars(), []string{envVar(name)}) {
			t.Errorf("--%s is not %s in the environment", name, envVar(name))
		}
	}
}
