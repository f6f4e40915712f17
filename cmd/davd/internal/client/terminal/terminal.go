// Package terminal finds the width of a terminal, and reads passwords from it.
package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Width returns the width of the terminal f in characters, or 0 if f is not a terminal.
func Width(f *os.File) int {
	if f == nil {
		return 0
	}
	return width(f.Fd())
}

// ReadPassword writes prompt to out and reads a line from in without showing it. It fails if
// in is not a terminal, or when ctx ends.
func ReadPassword(ctx context.Context, in *os.File, out io.Writer, prompt string) (string, error) {
	show, err := hide(in.Fd())
	if err != nil {
		return "", err
	}
	defer show()
	fmt.Fprint(out, prompt)
	defer fmt.Fprintln(out)
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && (!errors.Is(a.err, io.EOF) || a.line == "") {
			return "", a.err
		}
		return strings.TrimRight(a.line, "\r\n"), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
