package pgstate

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// maxSegments is how many segments a claimed name has at most. A longer name claims the tree of its
// ancestor with that many, so that deep names don't use up the database's lock table.
const maxSegments = 32

// reach says what a scope includes, as the column scope has it.
type reach int16

const (
	itself reach = iota
	withMembers
	withTree
)

// folded is a scope with a folded name. The name ends with a slash.
type folded struct {
	name  string
	reach reach
}

// foldScopes folds the names of scopes, so that all spellings of a name that some filesystem may
// treat as one exclude each other.
func foldScopes(scopes []cluster.Scope) []folded {
	all := make([]folded, 0, len(scopes))
	for _, s := range scopes {
		f := folded{name: foldName(s.Name)}
		switch {
		case s.Tree:
			f.reach = withTree
		case s.Members:
			f.reach = withMembers
		}
		f = f.bounded()
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// bounded returns f, or the tree of its ancestor with maxSegments if its name is longer.
func (f folded) bounded() folded {
	if at := nthSlash(f.name, maxSegments); at < len(f.name)-1 {
		return folded{f.name[:at+1], withTree}
	}
	return f
}

// foldName returns the name under which a resource is claimed.
func foldName(name string) string {
	segments := strings.Split(strings.Trim(name, "/"), "/")
	for i, s := range segments {
		segments[i] = tables.Text(storage.Fold(s))
	}
	if joined := strings.Join(segments, "/"); joined != "" {
		return "/" + joined + "/"
	}
	return "/"
}

// nthSlash returns the index of the slash after n segments, or the length of the name.
func nthSlash(name string, n int) int {
	at := 0
	for range n {
		next := strings.IndexByte(name[at+1:], '/')
		if next < 0 {
			return len(name)
		}
		at += 1 + next
	}
	return at
}

// parent returns the folded name of the collection that contains the resource; "" for the root.
func parent(name string) string {
	if name == "/" {
		return ""
	}
	return name[:strings.LastIndexByte(name[:len(name)-1], '/')+1]
}

// ancestors returns the folded names of all collections above the resource.
func ancestors(name string) (all []string) {
	for up := parent(name); up != ""; up = parent(up) {
		all = append(all, up)
	}
	return all
}

// after returns the first name after the tree of a folded name, in byte order.
func after(name string) string { return name[:len(name)-1] + "0" } // "0" comes after "/".

// area has the arguments of queries for what overlaps scopes.
type area struct {
	self      []string // the names
	above     []string // their ancestors
	parents   []string
	from, to  []string // the ranges of trees
	members   []string // the names with members
	selfUp    []string // self and above
	toMembers []string // the ends of the ranges of members
}

func areaOf(scopes []folded) area {
	// Empty arrays must not be NULL.
	a := area{above: []string{}, parents: []string{}, from: []string{}, to: []string{}, members: []string{}, toMembers: []string{}}
	for _, s := range scopes {
		a.self = append(a.self, s.name)
		a.above = append(a.above, ancestors(s.name)...)
		if p := parent(s.name); p != "" {
			a.parents = append(a.parents, p)
		}
		switch s.reach {
		case withTree:
			a.from, a.to = append(a.from, s.name), append(a.to, after(s.name))
		case withMembers:
			a.members, a.toMembers = append(a.members, s.name), append(a.toMembers, after(s.name))
		}
	}
	a.selfUp = slices.Concat(a.self, a.above)
	return a
}

// latchKeys returns the keys of the advisory locks that order overlapping claims, sorted, and
// whether each is exclusive. Two claims that overlap have a key in common that one of them wants
// exclusively:
//
//   - A claim shares the tree keys of all ancestors. On a tree, it has its own tree key exclusively.
//     Otherwise it shares that and has its self key exclusively.
//   - It shares the members key of its parent. On members, it has its own members key exclusively.
//
// One order means no deadlock. If two names have the same key, one waits for the other.
func latchKeys(space string, scopes []folded) (keys []int64, exclusive []bool) {
	want := make(map[int64]bool)
	take := func(kind, name string, alone bool) {
		k := advisoryKey(space + kind + name)
		want[k] = want[k] || alone
	}
	for _, s := range scopes {
		for _, up := range ancestors(s.name) {
			take("tree", up, false)
		}
		take("tree", s.name, s.reach == withTree)
		if s.reach != withTree {
			take("self", s.name, true)
		}
		if s.reach == withMembers {
			take("members", s.name, true)
		}
		if p := parent(s.name); p != "" {
			take("members", p, false)
		}
	}
	for k := range want {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		exclusive = append(exclusive, want[k])
	}
	return keys, exclusive
}

// advisoryKey returns the key of an advisory lock.
func advisoryKey(of string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(of)) // It can't fail.
	return int64(h.Sum64())    //nolint:gosec // any bits are a key
}

// epochKey is the key of the advisory lock that a brief claim shares until its end. Who ends the
// epoch has it alone. The row of the epoch itself would have to be written for each claim.
func epochKey(epoch string) int64 { return advisoryKey("epoch " + epoch) }

// latchKeys returns the keys of a brief claim: those of its scopes, and that of the epoch, which it shares.
func (m *membership) latchKeys(scopes []folded) (keys []int64, exclusive []bool) {
	keys, exclusive = latchKeys("claim ", scopes)
	return append(keys, epochKey(m.epoch)), append(exclusive, false)
}

// latchQuery takes the latch.
const latchQuery = `SELECT CASE WHEN x THEN pg_advisory_xact_lock(k) ELSE pg_advisory_xact_lock_shared(k) END
	FROM unnest($1::BIGINT[], $2::BOOLEAN[]) AS t(k, x)`
