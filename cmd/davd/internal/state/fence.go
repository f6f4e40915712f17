package state

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// fencePatience is how long the program of the operator may take.
const fencePatience = time.Minute

// fence returns a function that runs the program with the epoch, the name and the host name of
// a dead davd. It returns nil without a program.
func fence(program string) func(ctx context.Context, epoch, name, host string) error {
	if program == "" {
		return nil
	}
	return func(ctx context.Context, epoch, name, host string) error {
		ctx, cancel := context.WithTimeout(ctx, fencePatience)
		defer cancel()
		output, err := exec.CommandContext(ctx, program, epoch, name, host).CombinedOutput() //nolint:gosec // the operator has named it
		if err != nil {
			return fmt.Errorf("%s %s %s: %w: %s", program, epoch, name, err, strings.TrimSpace(string(output)))
		}
		return nil
	}
}
