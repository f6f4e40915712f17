package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// failure returns the text for err in the table.
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

// answered reports whether the server had ended its work when it caused err. A server that was
// too slow may still be working.
func answered(err error) bool {
	_, refused := errors.AsType[*refusal](err)
	_, wrong := errors.AsType[*wrongError](err)
	return refused || wrong
}
