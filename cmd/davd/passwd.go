package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/bcrypt"

	"github.com/davd/davd/cmd/davd/internal/client/terminal"
)

const passwdAbout = `
Prints the hash of a password, for the key password of a user in a configuration
file or for a line in an htpasswd file. It asks for the password on a terminal,
and otherwise reads one line from standard input.

  davd passwd
  echo "ann:$(davd passwd < password.txt)" >> users`

const (
	// hashCost makes checking a password take about a quarter of a second.
	hashCost = 12
	// maxHashed is how much of a password bcrypt uses, in bytes.
	maxHashed = 72
)

func passwdCommand(p *program) command {
	return command{
		name: "passwd", about: passwdAbout,
		run: func(c *cli.Context) error {
			password, err := readNewPassword(c.Context, p.stderr)
			if err != nil {
				return interrupted(c.Context, err)
			}
			switch {
			case password == "":
				return errors.New("the password is empty: write one")
			case len(password) > maxHashed:
				return fmt.Errorf("the password is longer than %d bytes, and bcrypt would ignore the rest: choose a shorter one", maxHashed)
			}
			hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
			if err != nil {
				return fmt.Errorf("the password can't be hashed: %w", err)
			}
			_, err = fmt.Fprintln(p.stdout, string(hash))
			return err
		},
	}
}

// readNewPassword asks for a password twice on a terminal, or reads a line.
func readNewPassword(ctx context.Context, stderr io.Writer) (string, error) {
	if terminal.Width(os.Stdin) == 0 {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("the password can't be read: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	password, err := terminal.ReadPassword(ctx, os.Stdin, stderr, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := terminal.ReadPassword(ctx, os.Stdin, stderr, "Again: ")
	if err == nil && again != password {
		err = errors.New("the two passwords differ: try again")
	}
	return password, err
}
