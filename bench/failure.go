package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// failure is what the table says of err.
func failure(err error) string {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.Error()
	}
	if wrong, ok := errors.AsType[*wrongError](err); ok {
		return "wrong: " + wrong.what
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("none in %v", trialTimeout)
	}
	return "broke"
}

// answered reports whether err came with the end of a server's work: one that
// was too slow is still at it.
func answered(err error) bool {
	_, refused := errors.AsType[*refusal](err)
	_, wrong := errors.AsType[*wrongError](err)
	return refused || wrong
}
