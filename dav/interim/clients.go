package interim

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// KnownClient describes how one program handles interim responses.
type KnownClient struct {
	// Product is the program's name in the header User-Agent (RFC 9110 §10.1.5), in any
	// case.
	Product string
	// From and Before limit the row to some versions: From ≤ version < Before. An empty
	// string means no limit.
	From, Before string
	// Cap is how many interim responses the server sends for one request, because the
	// program fails at more. 0 means none, [Unlimited] that no limit was found. A 100
	// (Continue) counts as one.
	Cap int
	// Bytes is the maximum total length of the headers of one answer, including those of
	// its interim responses, in bytes. 0 means that no limit was found.
	Bytes int
	// Helps says whether an interim response restarts the program's read time-out.
	Helps Help
	// Source says where this was observed.
	Source string
}

// Unlimited is the Cap of a client that accepts any number of interim responses.
const Unlimited = math.MaxInt32

// Help says whether interim responses make a client wait longer.
type Help int

const (
	// HelpUnknown says that this was not tested.
	HelpUnknown Help = iota
	// HelpYes says that each interim response restarts its read time-out.
	HelpYes
	// HelpNo says that it gives up as early as without interim responses.
	HelpNo
)

var helps = [...]string{HelpUnknown: "unknown", HelpYes: "yes", HelpNo: "no"}

// String returns "unknown", "yes" or "no".
func (h Help) String() string { return wordOf(helps[:], h, "Help") }

// KnownClients returns the table of known clients: first the rows in Clients, and then
// davd's own rows, except those that Clients replaces.
func (i *Policy) KnownClients() []KnownClient {
	return append(slices.Clone(i.Clients), slices.DeleteFunc(slices.Clone(knownClients), func(known KnownClient) bool {
		return slices.ContainsFunc(i.Clients, func(c KnownClient) bool {
			return c.From == "" && c.Before == "" && strings.EqualFold(c.Product, known.Product)
		})
	})...)
}

// Client returns the row of the table that applies to a User-Agent.
//
// A User-Agent may name several products, usually a program and then its library, and
// any of them may be the one that fails. So the most careful row that covers one of
// them applies. That also works for a client that pretends to be another one, as long
// as it still names itself. The operator's rows take precedence, because an operator
// who writes one knows the program as a whole.
func (i *Policy) Client(userAgent string) (row KnownClient, known bool) {
	products := field.Products(userAgent)
	if row, known = mostCareful(i.Clients, products); known {
		return row, true
	}
	return mostCareful(knownClients, products)
}

// mostCareful returns the row with the smallest Cap among those that cover one of
// products.
func mostCareful(rows []KnownClient, products []field.Product) (row KnownClient, found bool) {
	for i := range rows {
		c := &rows[i]
		if slices.ContainsFunc(products, c.covers) && (!found || c.moreCareful(&row)) {
			row, found = *c, true
		}
	}
	return row, found
}

func (c *KnownClient) moreCareful(than *KnownClient) bool {
	return c.Cap < than.Cap || c.Cap == than.Cap && cmp.Or(c.Bytes, math.MaxInt) < cmp.Or(than.Bytes, math.MaxInt)
}

// covers reports whether p is c's product in a version of the row. If the version is
// unreadable, it may be any version, so the row covers it.
func (c *KnownClient) covers(p field.Product) bool {
	return strings.EqualFold(p.Name, c.Product) && (!field.IsVersion(p.Version) ||
		(c.From == "" || field.CompareVersions(p.Version, c.From) >= 0) &&
			(c.Before == "" || field.CompareVersions(p.Version, c.Before) < 0))
}
