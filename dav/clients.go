package dav

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Client is what is known of a program and interim responses.
type Client struct {
	// Product is its name in the header User-Agent (RFC 9110 §10.1.5), in any
	// case.
	Product string
	// From and Before bound its versions: From ≤ version < Before. Empty: no
	// bound.
	From, Before string
	// Cap is how many interim responses it gets for one request, because it
	// survives no more: 0 for none, [Unlimited] where no limit was found. A 100
	// (Continue) counts.
	Cap int
	// Bytes is how long the headers of one answer may be in sum, those of its
	// interim responses included, in bytes. 0: no limit was found.
	Bytes int
	// Helps says whether an interim response restarts its read time-out.
	Helps Help
	// Source says where this was seen.
	Source string
}

// Unlimited is the Cap of a client in which no limit was found.
const Unlimited = math.MaxInt32

// Help says whether interim responses keep a client waiting longer.
type Help int

const (
	// HelpUnknown says that nobody has tried.
	HelpUnknown Help = iota
	// HelpYes says that each one restarts its read time-out.
	HelpYes
	// HelpNo says that it gives up as soon as without them.
	HelpNo
)

var helps = [...]string{HelpUnknown: "unknown", HelpYes: "yes", HelpNo: "no"}

// String returns "unknown", "yes" or "no".
func (h Help) String() string { return wordOf(helps[:], h, "Help") }

// KnownClients returns the table of known clients: Clients, which come first,
// and those of davd that they do not replace.
func (i *Interim) KnownClients() []Client {
	return append(slices.Clone(i.Clients), slices.DeleteFunc(slices.Clone(knownClients), func(known Client) bool {
		return slices.ContainsFunc(i.Clients, func(c Client) bool {
			return c.From == "" && c.Before == "" && strings.EqualFold(c.Product, known.Product)
		})
	})...)
}

// client returns the row of the table that counts for a User-Agent.
//
// It may name several products, most often a program and then its library, and
// each of them may be the one that fails: the most careful row that covers one of
// them counts. That holds for a client that pretends to be another as well, as
// far as it still names itself; beyond that nothing can be known. The operator's
// rows come before: whoever writes one has seen the program as a whole.
func (i *Interim) client(userAgent string) (row Client, known bool) {
	products := products(userAgent)
	if row, known = mostCareful(i.Clients, products); known {
		return row, true
	}
	return mostCareful(knownClients, products)
}

// mostCareful returns the row with the least cap of those that cover one of
// products.
func mostCareful(rows []Client, products []product) (row Client, found bool) {
	for i := range rows {
		c := &rows[i]
		if slices.ContainsFunc(products, c.covers) && (!found || c.moreCareful(&row)) {
			row, found = *c, true
		}
	}
	return row, found
}

func (c *Client) moreCareful(than *Client) bool {
	return c.Cap < than.Cap || c.Cap == than.Cap && cmp.Or(c.Bytes, math.MaxInt) < cmp.Or(than.Bytes, math.MaxInt)
}

// covers reports whether p is c's product in one of its versions. Without a
// version that can be read it may be any of them.
func (c *Client) covers(p product) bool {
	return strings.EqualFold(p.name, c.Product) && (!isVersion(p.version) ||
		(c.From == "" || compareVersions(p.version, c.From) >= 0) &&
			(c.Before == "" || compareVersions(p.version, c.Before) < 0))
}
