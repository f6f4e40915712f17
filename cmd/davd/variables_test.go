package main

import (
	"bytes"
	"testing"
)

func TestUnknownVariables(t *testing.T) {
	for variable, want := range map[string]string{
		"DAVD_LOG_LEVEL=debug":       "",
		"DAVD_PASSWORD=x":            "",
		"DAVD_LOGLEVEL=":             "",
		"LOGLEVEL=debug":             "",
		"DAVD_SERVICE_HOST=10.0.0.1": "",
		"DAVD_PORT_8080_TCP_PORT=80": "",
		"DAVD_LOGLEVEL=debug":        "davd: warning: no setting has the variable DAVD_LOGLEVEL; did you mean DAVD_LOG_LEVEL?\n",
		"DAVD_SOMETHING_ELSE=1":      "davd: warning: no setting has the variable DAVD_SOMETHING_ELSE\n",
		"DAVD_INTERIM_AFTRE=1s":      "davd: warning: no setting has the variable DAVD_INTERIM_AFTRE; did you mean DAVD_INTERIM_AFTER?\n",
	} {
		var got bytes.Buffer
		warnUnknownVariables(&got, commands(&program{}), []string{variable})
		if got.String() != want {
			t.Errorf("%s: got %q, want %q", variable, got.String(), want)
		}
	}
}
