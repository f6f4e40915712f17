package passfile

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"

	"github.com/tg123/go-htpasswd"
	"golang.org/x/crypto/argon2"
)

// The limits for the cost of a hash. They are stricter than those of RFC 9106 §3.1.
const (
	maxArgon2Memory = 1 << 20 // KiB
	maxArgon2Passes = 100
)

// argon2Shape matches a hash in the PHC string format, with version 19, that of RFC 9106.
var argon2Shape = regexp.MustCompile(`^\$(argon2id?)\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})$`)

// argon2Hash is a parsed argon2 hash. derive is argon2.IDKey or argon2.Key.
type argon2Hash struct {
	derive         func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte
	passes, memory uint32 // memory in KiB
	lanes          uint8
	salt, key      []byte
}

// parseArgon2 is an htpasswd.PasswdParser for hashes that match argon2Shape.
func parseArgon2(hash string) (htpasswd.EncodedPasswd, error) {
	fields := argon2Shape.FindStringSubmatch(hash)
	if fields == nil {
		return nil, errMalformed
	}
	h := &argon2Hash{derive: argon2.IDKey}
	if fields[1] == "argon2i" {
		h.derive = argon2.Key
	}
	memory, err1 := strconv.ParseUint(fields[2], 10, 32)
	passes, err2 := strconv.ParseUint(fields[3], 10, 32)
	lanes, err3 := strconv.ParseUint(fields[4], 10, 8)
	salt, err4 := base64.RawStdEncoding.DecodeString(fields[5])
	key, err5 := base64.RawStdEncoding.DecodeString(fields[6])
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	switch {
	case memory < 8*lanes: // RFC 9106 §3.1
		return nil, errMalformed
	case memory > maxArgon2Memory || passes > maxArgon2Passes:
		return nil, &costError{"argon2 with more than 1 GiB (m=1048576) or 100 passes (t=100) is too expensive for a request"}
	}
	h.memory, h.passes, h.lanes, h.salt, h.key = uint32(memory), uint32(passes), uint8(lanes), salt, key
	return h, nil
}

// MatchesPassword implements htpasswd.EncodedPasswd.
func (h *argon2Hash) MatchesPassword(password string) bool {
	length := uint32(len(h.key)) //nolint:gosec // argon2Shape bounds it
	key := h.derive([]byte(password), h.salt, h.passes, h.memory, h.lanes, length)
	return subtle.ConstantTimeCompare(key, h.key) == 1
}
