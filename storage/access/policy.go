package access

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/davd/davd/storage"
)

// userSegment stands in the name of a share for the name of the user that the share belongs to.
const userSegment = "{user}"

// kind is the kind of a subject. A later kind wins over an earlier one.
type kind int

const (
	anyone kind = iota
	users
	group
	owner
	user
)

// Subject is who a rule is about.
type Subject struct {
	kind kind
	name string
}

// User is the user with this name.
func User(name string) Subject { return Subject{user, name} }

// Group are the members of a group.
func Group(name string) Subject { return Subject{group, name} }

// Owner is the user whose name replaces {user} in the name of the share.
func Owner() Subject { return Subject{kind: owner} }

// Users are all clients with a name.
func Users() Subject { return Subject{kind: users} }

// Anyone are all clients, also those without a name.
func Anyone() Subject { return Subject{kind: anyone} }

// String returns the subject as a configuration file has it.
func (s Subject) String() string {
	return [...]string{"anyone", "users", "group " + s.name, userSegment, "user " + s.name}[s.kind]
}

// Rule gives a subject rights.
type Rule struct {
	// Path is a path below the root of the share, such as "/private". "/" and "" are the
	// root itself.
	Path    string
	Subject Subject
	Rights  storage.Right
}

// Share is a part of the name space with rules of its own.
type Share struct {
	// At is the name of the root of the share, such as "/photos" or "/home/{user}". Shares
	// may contain others.
	At    string
	Rules []Rule
}

// Policy says who has which rights. It doesn't change.
type Policy struct {
	shares   []share // the outermost first
	groupsOf map[string][]string

	mu     sync.RWMutex
	tables map[string]*table
}

// share is a Share whose paths are segments of whole names.
type share struct {
	root  []string
	paths []rulesAt
}

// rulesAt are the rules at one path.
type rulesAt struct {
	path  []string
	rules []Rule
}

// NewPolicy returns the policy for shares. groupsOf has the groups of each user; storage.Login
// can add others.
func NewPolicy(shares []Share, groupsOf map[string][]string) (*Policy, error) {
	p := &Policy{groupsOf: maps.Clone(groupsOf), tables: make(map[string]*table)}
	for _, s := range shares {
		root := split(s.At)
		if slices.ContainsFunc(p.shares, func(other share) bool { return slices.Equal(other.root, root) }) {
			return nil, fmt.Errorf("two shares have the name %s", s.At)
		}
		at := slices.Index(root, userSegment)
		if at >= 0 && slices.Contains(root[at+1:], userSegment) {
			return nil, fmt.Errorf("the name %s has more than one %s", s.At, userSegment)
		}
		compiled := share{root: root}
		byPath := map[string][]Rule{"": nil}
		for _, rule := range s.Rules {
			if rule.Subject.kind == owner && at < 0 {
				return nil, fmt.Errorf("%s has no %s, so no rule can be about it", s.At, userSegment)
			}
			key := strings.Join(split(rule.Path), "/")
			byPath[key] = append(byPath[key], rule)
		}
		if len(byPath[""]) == 0 {
			subject := Users()
			if at >= 0 {
				subject = Owner()
			}
			byPath[""] = []Rule{{Subject: subject, Rights: storage.RightsWrite}}
		}
		for _, key := range slices.Sorted(maps.Keys(byPath)) {
			compiled.paths = append(compiled.paths, rulesAt{slices.Concat(root, split(key)), byPath[key]})
		}
		p.shares = append(p.shares, compiled)
	}
	slices.SortStableFunc(p.shares, func(a, b share) int { return len(a.root) - len(b.root) })
	return p, nil
}

// split returns the segments of a path, in the spelling that rules are compared in.
func split(name string) []string {
	name = path.Clean("/" + name)[1:]
	if name == "" {
		return nil
	}
	segments := strings.Split(name, "/")
	for i := range segments {
		segments[i] = composed(segments[i])
	}
	return segments
}

// Shows reports whether a principal may see name, as far as that doesn't depend on links.
func (p *Policy) Shows(login storage.Login, name string) bool {
	v := verdict{seen: true}
	p.tableOf(&login).restrict(&v, storage.Clean(name))
	return v.seen
}

// maxTables limits the tables in memory. One that was dropped is made again.
const maxTables = 4096

// tableOf returns the rights of a login.
func (p *Policy) tableOf(login *storage.Login) *table {
	p.mu.RLock()
	t := p.tables[login.Principal]
	p.mu.RUnlock()
	if t != nil && slices.Equal(t.groups, login.Groups) {
		return t
	}
	t = p.compile(login.Principal, slices.Clone(login.Groups))
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tables) >= maxTables {
		clear(p.tables)
	}
	p.tables[login.Principal] = t
	return t
}

// rightsBy returns what rules give a principal. applies is false if no rule is about it. owns
// says that the principal is the owner of the share.
func (p *Policy) rightsBy(rules []Rule, who *table, owns bool) (rights storage.Right, applies bool) {
	best := anyone
	for _, rule := range rules {
		if !p.isAbout(rule.Subject, who, owns) {
			continue
		}
		switch is := rule.Subject.kind; {
		case !applies || is > best:
			rights, best, applies = rule.Rights, is, true
		case is == best:
			rights |= rule.Rights
		}
	}
	return rights, applies
}

// isAbout reports whether s includes the principal of who.
func (p *Policy) isAbout(s Subject, who *table, owns bool) bool {
	if s.kind == anyone {
		return true
	}
	if who.principal == "" {
		return false
	}
	switch s.kind {
	case users:
		return true
	case group:
		return slices.Contains(p.groupsOf[who.principal], s.name) || slices.Contains(who.groups, s.name)
	case owner:
		return owns
	default:
		return s.name == who.principal
	}
}
