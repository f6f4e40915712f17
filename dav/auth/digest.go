package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// digest identifies a user name, or a name with a password. It is keyed, so that an attacker
// can't compute it or test passwords against it.
type digest [sha256.Size]byte

// digester computes digests with a random key. The zero value is ready to use.
type digester struct {
	once sync.Once
	key  [sha256.Size]byte
	// macs holds HMACs that use the key.
	macs sync.Pool
}

func (x *digester) of(parts ...string) (d digest) {
	x.once.Do(func() { _, _ = rand.Read(x.key[:]) }) // never fails
	mac, ok := x.macs.Get().(hash.Hash)
	if !ok {
		mac = hmac.New(sha256.New, x.key[:])
	}
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	mac.Sum(d[:0])
	mac.Reset()
	x.macs.Put(mac)
	return d
}
