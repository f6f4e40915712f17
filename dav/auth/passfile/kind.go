package passfile

import (
	"errors"
	"regexp"
	"strings"

	"github.com/tg123/go-htpasswd"
	"golang.org/x/crypto/bcrypt"
)

// kind is a kind of hash. Some parsers accept hashes that they can't verify or that make
// them panic, so a hash must also match the shape of its kind.
type kind struct {
	prefixes []string
	shape    *regexp.Regexp
	parse    htpasswd.PasswdParser
}

var kinds = []kind{
	{
		[]string{"$2a$", "$2b$", "$2x$", "$2y$"},
		regexp.MustCompile(`^\$2[abxy]\$[0-9]{2}\$[./0-9A-Za-z]{53}$`),
		parseBcrypt,
	},
	{[]string{"$argon2id$", "$argon2i$"}, argon2Shape, parseArgon2},
	{[]string{"$5$"}, regexp.MustCompile(`^\$5\$(rounds=[1-9][0-9]{3,6}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}$`), htpasswd.AcceptCryptSha},
	{[]string{"$6$"}, regexp.MustCompile(`^\$6\$(rounds=[1-9][0-9]{3,6}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}$`), htpasswd.AcceptCryptSha},
	{[]string{"$apr1$", "$1$"}, regexp.MustCompile(`^\$(apr1|1)\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}$`), htpasswd.AcceptMd5},
	{[]string{"{SSHA}"}, regexp.MustCompile(`^\{SSHA\}`), htpasswd.AcceptSsha},
	{[]string{"{SHA}"}, regexp.MustCompile(`^\{SHA\}`), htpasswd.AcceptSha},
}

const makeAnew = "create the line again with htpasswd -B"

var (
	errMalformed = errors.New("the hash is damaged: " + makeAnew)
	errUnknown   = errors.New("unknown kind of hash: use bcrypt (htpasswd -B), argon2id, argon2i, SHA-256 or SHA-512 crypt, apr1, SSHA or SHA")
	errPlain     = errors.New("the password is in plain text, or hashed with the old crypt, which is as weak: " + makeAnew)
)

// ParseHash parses a hash of any kind. Its errors contain no part of the hash, which may
// be a plain-text password.
func ParseHash(hash string) (htpasswd.EncodedPasswd, error) {
	for _, k := range kinds {
		for _, prefix := range k.prefixes {
			if !strings.HasPrefix(hash, prefix) {
				continue
			}
			if !k.shape.MatchString(hash) {
				return nil, errMalformed
			}
			matcher, err := k.parse(hash)
			if _, ours := errors.AsType[*costError](err); ours {
				return nil, err
			}
			if err != nil || matcher == nil {
				return nil, errMalformed
			}
			return matcher, nil
		}
	}
	if strings.HasPrefix(hash, "$") || strings.HasPrefix(hash, "{") && !strings.HasPrefix(hash, "{PLAIN}") {
		return nil, errUnknown
	}
	return nil, errPlain
}

// costError is the error for a hash that is too expensive to check for each request.
type costError struct{ says string }

func (e *costError) Error() string { return e.says + ": create the line again with less" }

// maxBcryptCost is the highest accepted cost. A hash takes about 10 s with it, and half of
// that with each step less.
const maxBcryptCost = 17

// parseBcrypt checks the cost, which the htpasswd package does not, and parses the hash.
func parseBcrypt(hash string) (htpasswd.EncodedPasswd, error) {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil {
		return nil, err
	}
	if cost > maxBcryptCost {
		return nil, &costError{"bcrypt with a cost of more than 17 is too slow for a request"}
	}
	return htpasswd.AcceptBcrypt(hash)
}
