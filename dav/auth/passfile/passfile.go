// Package passfile parses htpasswd files and the password hashes in them.
package passfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tg123/go-htpasswd"
)

// Account is the password hash of a user.
type Account struct {
	// Hash is the text in the file.
	Hash    string
	Matcher htpasswd.EncodedPasswd
}

// MaxName limits the length of a user name, in bytes.
const MaxName = 255

// Parse parses an htpasswd file. Each line consists of a user, a colon and a hash; anything
// after a second colon is ignored. So are lines that are empty or begin with #. A damaged
// line gives an error that begins with file:line, and its user gets no account, not even
// from another line. A user with two lines gets no account either, because Parse can't know
// which password was withdrawn.
//
// go-htpasswd parses the hashes. Its File type is not used because it reports no line
// numbers, silently prefers the last of two lines of a user, and treats comments as damage.
func Parse(file string, content []byte) (accounts map[string]Account, damaged []error) {
	accounts = make(map[string]Account)
	lines := make(map[string]int)
	damage := make(map[string]bool) // by user
	number := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(content, []byte("\ufeff")))) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		user, a, err := parseLine(line)
		if first := lines[user]; first != 0 && err == nil {
			err = fmt.Errorf("the user %q is already in line %d: remove one of the two", user, first)
		}
		if err != nil {
			damage[user] = true
			damaged = append(damaged, fmt.Errorf("%s:%d: %w", file, number, err))
			continue
		}
		accounts[user], lines[user] = a, number
	}
	maps.DeleteFunc(accounts, func(user string, _ Account) bool { return damage[user] })
	return accounts, damaged
}

// parseLine parses a line. It returns the user even with an error.
func parseLine(line string) (user string, a Account, err error) {
	user, rest, _ := strings.Cut(line, ":")
	hash, _, _ := strings.Cut(rest, ":")
	if err := checkLine(user, hash); err != nil {
		return user, Account{}, err
	}
	matcher, err := ParseHash(hash)
	if err != nil {
		return user, Account{}, fmt.Errorf("user %q: %w", user, err)
	}
	return user, Account{hash, matcher}, nil
}

// checkLine returns an error for a malformed line. The error contains no text of the line
// that may be a password.
func checkLine(user, hash string) error {
	if hash == "" {
		return errors.New("the line does not consist of a user, a colon and a hash: " + makeAnew)
	}
	return CheckName(user)
}

// CheckName returns an error for a user name that no client can send: one has no colon and no
// control characters (RFC 7617 §2). The error doesn't contain the name.
func CheckName(user string) error {
	switch {
	case user == "":
		return errors.New("the user name is missing: " + makeAnew)
	case !utf8.ValidString(user):
		return errors.New("the user name is not UTF-8: save the file as UTF-8")
	case strings.ContainsFunc(user, unicode.IsControl):
		return errors.New("the user name contains a control character, which no client can send: " + makeAnew)
	case strings.Contains(user, ":"):
		return errors.New("the user name contains a colon, which no client can send: " + makeAnew)
	case len(user) > MaxName:
		return fmt.Errorf("the user name is longer than %d bytes: choose a shorter one", MaxName)
	}
	return nil
}
