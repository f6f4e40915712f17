package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/dav/davclient"
)

// TestInterrupted checks the message and the exit code of a command ended by a signal.
func TestInterrupted(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	session := &client.Session{}
	goesOn := session.Failed("copy /a to /b", &davclient.UnfinishedError{Location: "http://h/s", Err: context.Canceled})
	mayGoOn := session.Failed("copy /a to /b", &davclient.UnfinishedError{Err: context.Canceled})
	broken := session.Failed("copy /a to /b", &davclient.UnfinishedError{Err: &davclient.Error{Method: "COPY", Status: 504}})
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want string
		code int
	}{
		{"a get", ended, fmt.Errorf("get /a: %w", context.Canceled), "interrupted", exitInterrupted},
		{"an operation that goes on", ended, goesOn, "copy /a to /b: interrupted; the server continues: see its progress with davd get http://h/s -, or stop it with davd rm http://h/s", exitInterrupted},
		{"one that may go on", ended, mayGoOn, "copy /a to /b: interrupted; the server may continue: check the result before you try again", exitInterrupted},
		{"a failure before", ended, errors.New("no"), "no", exitFailed},
		{"a proxy that gave up", t.Context(), broken, "copy /a to /b: 504 Gateway Timeout; the server may continue: check the result before you try again", exitFailed},
	} {
		err := interrupted(c.ctx, c.err)
		if err.Error() != c.want || exitCode(err) != c.code {
			t.Errorf("%s: %d %v", c.name, exitCode(err), err)
		}
	}
	if err := interrupted(ended, nil); err != nil {
		t.Error(err)
	}
}

// TestInterruptedPrompt checks a command that is ended by a signal while it asks for the
// password.
func TestInterruptedPrompt(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("HOME", t.TempDir()) // no .netrc
	var errs strings.Builder
	code := run(ended, []string{"davd", "ls", "--user", "ann", "http://h/"}, io.Discard, &errs)
	if code != exitInterrupted || errs.String() != "davd: interrupted\n" {
		t.Errorf("%d %s", code, errs.String())
	}
}
