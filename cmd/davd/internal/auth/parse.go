package auth

import (
	"bytes"
	"errors"
	"fmt"
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
// nothing. An error begins with file:line.
//
// The parsing of hashes is go-htpasswd's. Its File is not used because it knows
// no lines, lets the last of two users of one name win, and takes comments for
// damage.
func parse(file string, content []byte) (map[string]account, error) {
	accounts := make(map[string]account)
	lines := make(map[string]int)
	number := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(content, []byte("\ufeff")))) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		user, rest, _ := strings.Cut(line, ":")
		hash, _, _ := strings.Cut(rest, ":")
		if err := checkLine(user, hash); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		if first := lines[user]; first != 0 {
			return nil, fmt.Errorf("%s:%d: the user %q is in line %d already: remove one of the two", file, number, user, first)
		}
		matcher, err := parseHash(hash)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: user %q: %w", file, number, user, err)
		}
		accounts[user], lines[user] = account{hash, matcher}, number
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%s: nobody is in it: add a user with htpasswd -B %s NAME", file, file)
	}
	return accounts, nil
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
