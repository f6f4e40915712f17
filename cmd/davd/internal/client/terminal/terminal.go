// Package terminal asks a terminal for its width, and a person at it for a
// password.
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

// Width returns the width of the terminal that f is, in characters; 0 if it is
// none.
func Width(f *os.File) int {
	if f == nil {
		return 0
	}
	return width(f.Fd())
}

// ReadPassword asks on out for a line of in, which is not shown while it is
// written. It fails where in is no terminal, and when ctx ends.
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
