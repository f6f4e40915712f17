package auth

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

// account is a line of the file.
type account struct {
	hash    string
	matcher htpasswd.EncodedPasswd
}

// parse reads an htpasswd file: a user, a colon and a hash in each line, and
// whatever after a second colon. Lines that are empty or begin with # count for
// nothing. A damaged line is an error that begins with file:line, and its user has no
// account, not even by another line. A user of two lines has none either: which of the
// two passwords was withdrawn can't be told.
//
// The parsing of hashes is go-htpasswd's. Its File is not used because it knows
// no lines, lets the last of two users of one name win, and takes comments for
// damage.
func parse(file string, content []byte) (accounts map[string]account, damaged []error) {
	accounts = make(map[string]account)
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
			err = fmt.Errorf("the user %q is in line %d already: remove one of the two", user, first)
		}
		if err != nil {
			damage[user] = true
			damaged = append(damaged, fmt.Errorf("%s:%d: %w", file, number, err))
			continue
		}
		accounts[user], lines[user] = a, number
	}
	maps.DeleteFunc(accounts, func(user string, _ account) bool { return damage[user] })
	return accounts, damaged
}

// parseLine returns the user of a line in any case.
func parseLine(line string) (user string, a account, err error) {
	user, rest, _ := strings.Cut(line, ":")
	hash, _, _ := strings.Cut(rest, ":")
	if err := checkLine(user, hash); err != nil {
		return user, account{}, err
	}
	matcher, err := parseHash(hash)
	if err != nil {
		return user, account{}, fmt.Errorf("user %q: %w", user, err)
	}
	return user, account{hash, matcher}, nil
}

// checkLine says what a line lacks, without any text of it that may be a
// password. A user's name has no colon and no control characters (RFC 7617 §2).
func checkLine(user, hash string) error {
	switch {
	case hash == "":
		return errors.New("it is not a user, a colon and a hash: " + makeAnew)
	case user == "":
		return errors.New("the user has no name: " + makeAnew)
	case !utf8.ValidString(user):
		return errors.New("the user's name is not UTF-8: save the file as UTF-8")
	case strings.ContainsFunc(user, unicode.IsControl):
		return errors.New("the user's name has a control character, which no client can send: " + makeAnew)
	case len(user) > maxName:
		return fmt.Errorf("the user's name is longer than %d bytes: choose a shorter one", maxName)
	}
	return nil
}
