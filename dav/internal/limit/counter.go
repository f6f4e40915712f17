// Package limit counts what clients use at a time, in total and for each client.
package limit

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/davd/davd/dav/internal/status"
)

// OneClient is the divisor of a total limit that gives one client's default limit.
const OneClient = 4

// SeveralClients is the prefix of the key of an address that several clients may share.
const SeveralClients = "several "

// Counter is a number in total and for each client.
type Counter struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

// Bound is the limit of a Counter.
type Bound struct {
	// Most is the limit in total, and MostOf that for one client, by default a quarter of
	// Most. An address that several clients may share gets three times MostOf.
	Most, MostOf int
	// What is counted, and instead is what the client can do instead.
	What, Instead string
}

// Operations returns the Bound of operations; 0 means 1024.
func Operations(most, mostOf int) *Bound {
	return &Bound{Most: cmp.Or(most, 1024), MostOf: mostOf, What: "COPYs, MOVEs and DELETEs", Instead: "send fewer at a time"}
}

// Streams returns the Bound of requests that follow an operation; 0 means 512.
func Streams(most, mostOf int) *Bound {
	return &Bound{
		Most: cmp.Or(most, 512), MostOf: mostOf,
		What: "requests that follow an operation", Instead: "read its status document now and then",
	}
}

func (b *Bound) refusal(most int, what string) error {
	return status.New(http.StatusServiceUnavailable, fmt.Sprintf("%d %s are under way, which is the limit: try again later, or %s", most, what, b.Instead))
}

// Enter adds n to the client's count, or returns a 503. The caller must call leave with
// the same n later.
func (c *Counter) Enter(b *Bound, client string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	mostOf := cmp.Or(b.MostOf, max(b.Most/OneClient, 1))
	// An address leaves room for clients from elsewhere.
	share := max(min(ShareOf(client, mostOf), b.Most-b.Most/OneClient), mostOf)
	switch {
	case c.all+n > b.Most:
		return b.refusal(b.Most, b.What)
	case c.of[client]+n > share:
		return b.refusal(share, b.What+" of this client")
	}
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.all += n
	c.of[client] += n
	return nil
}

// Leave undoes Enter with the same client and n.
func (c *Counter) Leave(client string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all -= n
	if c.of[client] -= n; c.of[client] == 0 {
		delete(c.of, client)
	}
}

// ShareOf returns the limit of the key client if the limit of one client is MostOf.
func ShareOf(client string, mostOf int) int {
	if strings.HasPrefix(client, SeveralClients) {
		return 3 * mostOf
	}
	return mostOf
}
