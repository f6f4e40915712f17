package config

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Rule gives a subject rights at a path of a share, and below it.
type Rule struct {
	// Place is the place of the subject. It is zero for a default.
	Place Place
	// Path is the path in the share, such as "/private". It is empty for the whole share.
	Path    string
	Subject Subject
	Rights  Rights
}

// Rights is a set of rights.
type Rights uint8

// The rights, and the presets.
const (
	RightList Rights = 1 << iota
	RightRead
	RightCreate
	RightWrite
	RightDelete
	RightLock

	RightsNone  Rights = 0
	RightsRead         = RightList | RightRead
	RightsAdd          = RightsRead | RightCreate
	RightsWrite        = RightsAdd | RightWrite | RightDelete | RightLock
)

// String returns a preset, or the rights separated by commas.
func (r Rights) String() string {
	switch r {
	case RightsNone:
		return "none"
	case RightsRead:
		return "read"
	case RightsAdd:
		return "add"
	case RightsWrite:
		return "write"
	}
	var names []string
	for i, name := range []string{"list", "read", "create", "write", "delete", "lock"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// ParseRights parses a preset or single rights.
func ParseRights(names ...string) (Rights, error) {
	all := []string{"list", "read", "create", "write", "delete", "lock"}
	if len(names) == 1 {
		if preset, is := map[string]Rights{"none": RightsNone, "read": RightsRead, "add": RightsAdd, "write": RightsWrite}[names[0]]; is {
			return preset, nil
		}
	}
	var rights Rights
	for _, name := range names {
		i := slices.Index(all, name)
		if i < 0 {
			return 0, fmt.Errorf("%q is not a right", name)
		}
		rights |= 1 << i
	}
	return rights, nil
}

// SubjectKind is a kind of subject.
type SubjectKind string

// The kinds of subject.
const (
	// SubjectUser is one user, and SubjectGroup all members of a group.
	SubjectUser  SubjectKind = "user"
	SubjectGroup SubjectKind = "group"
	// SubjectUsers is everyone with a name.
	SubjectUsers SubjectKind = "users"
	// SubjectAnyone is everyone.
	SubjectAnyone SubjectKind = "anyone"
	// SubjectOwner is the user whose instance of a share with {user} it is.
	SubjectOwner SubjectKind = "owner"
)

// Subject is who has rights.
type Subject struct {
	Kind SubjectKind
	// Name is that of the user or group.
	Name string
}

// String returns the subject as the operator writes it.
func (s Subject) String() string {
	switch s.Kind {
	case SubjectUser, SubjectGroup:
		return string(s.Kind) + ":" + s.Name
	case SubjectOwner:
		return UserSegment
	}
	return string(s.Kind)
}

// pendingRule is a rule whose subject has not been looked up, because the users aren't known yet.
type pendingRule struct {
	share *Share
	rule  int
	name  string
	key   string
}

// rights reads the rights at a path of a share.
func (f *file) rights(s *Share, below string, v value) {
	for _, e := range f.entries(v) {
		rights, err := ParseRights(f.texts(e.value)...)
		if err != nil {
			f.wrong(e.value, "%w", err)
		}
		if e.isNull() {
			f.wrong(e.value, "the rights are missing: write read, add, write, none, or a list of rights")
		}
		s.Rules = append(s.Rules, Rule{Place: e.at, Path: below, Rights: rights})
		f.pending = append(f.pending, pendingRule{s, len(s.Rules) - 1, e.name, e.key})
	}
}

func (r *reader) texts(v value) []string {
	var texts []string
	for _, each := range r.list(v) {
		texts = append(texts, each.node.Value)
	}
	return texts
}

// paths reads the rights below a share.
func (f *file) paths(s *Share, v value) {
	first := make(map[string]Place)
	for _, e := range f.entries(v) {
		below := norm.NFC.String(e.name)
		err := checkName(below)
		switch {
		case err == nil && below == "/":
			err = errors.New("these are the rights of the whole share: write them under rights")
		case err == nil && strings.ContainsAny(below, "{}"):
			err = errors.New("{user} has no effect in a path: give {user} rights, or write another path")
		case err == nil && first[below] != Place{}:
			err = fmt.Errorf("the same path is in line %d: remove one of the two", first[below].Line)
		}
		if err != nil {
			f.note(e.at, e.key, err)
		}
		first[below] = e.at
		f.rights(s, path.Clean(below), e.value)
	}
}

// resolve looks up the subjects of all rules.
func (f *file) resolve(known *accounts) {
	for _, p := range f.pending {
		rule := &p.share.Rules[p.rule]
		subject, err := f.subject(p, known)
		if err != nil {
			f.note(rule.Place, p.key, err)
			continue
		}
		rule.Subject = subject
		for i := range p.share.Rules[:p.rule] {
			other := &p.share.Rules[i]
			if other.Path == rule.Path && other.Subject == subject {
				f.note(rule.Place, p.key, fmt.Errorf("%s already has rights here, in line %d: remove one of the two", subject, other.Place.Line))
			}
		}
	}
}

func (f *file) subject(p pendingRule, known *accounts) (Subject, error) {
	kind, name, prefixed := strings.Cut(p.name, ":")
	switch {
	case p.name == string(SubjectUsers):
		return Subject{Kind: SubjectUsers}, known.needed(p.name)
	case p.name == string(SubjectAnyone):
		return Subject{Kind: SubjectAnyone}, nil
	case p.name == UserSegment && !p.share.PerUser():
		return Subject{}, errors.New("the name of this share has no {user}: write the name of a user or group")
	case p.name == UserSegment:
		return Subject{Kind: SubjectOwner}, nil
	case prefixed && kind == string(SubjectUser):
		return Subject{SubjectUser, name}, known.user(name)
	case prefixed && kind == string(SubjectGroup):
		return Subject{SubjectGroup, name}, known.group(name)
	}
	if _, is := known.groups[p.name]; is {
		return Subject{SubjectGroup, p.name}, nil
	}
	if _, is := known.users[p.name]; is {
		return Subject{SubjectUser, p.name}, nil
	}
	if known.open {
		return Subject{}, fmt.Errorf("it is not in this file: write user:%s or group:%[1]s", p.name)
	}
	all := append(known.all(), string(SubjectUsers), string(SubjectAnyone))
	return Subject{}, fmt.Errorf("no user or group has this name%s", setting.DidYouMean(p.name, all))
}
