package lock

import (
	"crypto/rand"

	"github.com/google/uuid"
)

// newToken returns a lock token that can't be guessed and was never used before (RFC
// 4918 §6.5): the URN of a version 4 UUID. It reads crypto/rand itself, because
// uuid.SetRand may have given the uuid package another source.
func newToken() string { return uuid.Must(uuid.NewRandomFromReader(rand.Reader)).URN() }
