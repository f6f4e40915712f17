package kill

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
)

// A chooser chooses what a client does next.
type chooser struct {
	rng   *rand.Rand
	who   string
	count int
	sizes []int // the sizes of bodies, in bytes
	// pressed says that the last request found no room on the disk, so that the client now
	// removes something.
	pressed bool
}

func newChooser(seed uint64, who int, sizes []int) *chooser {
	return &chooser{rng: rand.New(rand.NewPCG(seed, uint64(who))), who: fmt.Sprintf("c%d", who), sizes: sizes}
}

func (c *chooser) chance(p float64) bool { return c.rng.Float64() < p }

func (c *chooser) below(n int) int { return c.rng.IntN(n) }

// unique returns a word that no other call of any chooser returns.
func (c *chooser) unique() string {
	c.count++
	return fmt.Sprintf("%s-%d", c.who, c.count)
}

// fill returns n bytes that no other call returns, unless they are few.
func (c *chooser) fill(n int) string {
	word := c.unique() + " "
	return strings.Repeat(word, n/len(word)+1)[:n]
}

func (c *chooser) content() string {
	return c.fill(c.sizes[c.below(len(c.sizes))])
}

func (c *chooser) value() string { return c.fill(8 + c.below(1<<c.below(12))) }

// pick returns one of the names that fit accepts, or "".
func (c *chooser) pick(v view, fit func(name string, r resource) bool) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(v.resources)) {
		if fit(name, v.resources[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[c.below(len(names))]
}

// maxDepth is how many segments a name may have.
const maxDepth = 6

// place returns a name for a resource. The resource may exist. In rare cases, its parent does not.
func (c *chooser) place(v view) string {
	parent := c.pick(v, func(name string, r resource) bool { return r.collection && strings.Count(name, "/") < maxDepth })
	if c.chance(0.03) {
		parent = path.Join(parent, "missing")
	}
	return path.Join(parent, fmt.Sprintf("%c%d", "fd"[c.below(2)], c.below(5)))
}

// any returns an existing name that is not the root of an area. In rare cases, it does not exist.
func (c *chooser) any(v view) string {
	name := c.pick(v, func(name string, _ resource) bool { return strings.Count(name, "/") > areaDepth })
	if name == "" || c.chance(0.02) {
		return c.place(v) + "-none"
	}
	return name
}

func (c *chooser) file(v view) string {
	name := c.pick(v, func(_ string, r resource) bool { return !r.collection })
	if name == "" {
		return c.place(v) + "-none"
	}
	return name
}

// limits are how much an area may contain before its client removes something.
type limits struct {
	resources int
	bytes     int
}

// choose returns the next operation in areas, whose view is before.
func (c *chooser) choose(areas []*area, before view, most limits) *operation {
	for {
		o := &operation{areas: areas, before: before, after: before.clone(), header: map[string]string{}}
		p := plan{chooser: c, o: o, tokens: !c.chance(0.1)}
		full := before.size("/") > len(areas)*most.bytes || len(before.resources) > len(areas)*most.resources
		switch n := c.below(100); {
		case (full || c.pressed) && n < 70, n < 10:
			p.remove()
		case n < 32:
			p.put()
		case n < 42:
			p.patch()
		case n < 50:
			p.mkcol()
		case n < 60:
			p.transfer("COPY")
		case n < 75:
			p.transfer("MOVE")
		case n < 87:
			p.proppatch()
		case n < 94:
			p.lock()
		default:
			if !p.unlock() {
				continue
			}
		}
		if o.method == "" || len(o.after.resources) > 2*len(areas)*most.resources {
			continue
		}
		if len(o.refusals) > 0 {
			o.after = before
			if o.method == http.MethodPut && c.chance(0.5) {
				continue // so that most PUTs succeed
			}
		}
		return o
	}
}
