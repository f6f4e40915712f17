package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// warnUnknownVariables warns of variables in environ that look like settings of davd and are none.
func warnUnknownVariables(w io.Writer, commands []command, environ []string) {
	known := []string{"DAVD_PASSWORD"} // of the client commands
	for _, c := range commands {
		for _, s := range c.settings {
			if variable := s.EnvVar(); variable != "" && !slices.Contains(known, variable) {
				known = append(known, variable)
			}
		}
	}
	for _, each := range environ {
		name, text, _ := strings.Cut(each, "=")
		if text == "" || !strings.HasPrefix(name, "DAVD_") || slices.Contains(known, name) || foreign(name) {
			continue
		}
		if closest := setting.Closest(name, known); closest != "" {
			fmt.Fprintf(w, "davd: warning: no setting has the variable %s; did you mean %s?\n", name, closest)
			continue
		}
		fmt.Fprintf(w, "davd: warning: no setting has the variable %s\n", name)
	}
}

// foreign reports whether davd doesn't mind a variable: Kubernetes sets these in each container
// for a service that is called davd, and the tests of davd have some.
func foreign(name string) bool {
	return strings.HasPrefix(name, "DAVD_SERVICE_") || name == "DAVD_PORT" || strings.HasPrefix(name, "DAVD_PORT_") ||
		strings.HasPrefix(name, "DAVD_TEST_") || name == "DAVD_SWEEP" || name == "DAVD_SEED"
}
