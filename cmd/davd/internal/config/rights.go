package config

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

// Rule gives a subject rights at a path of a share, and below it.
type Rule struct {
	access.Rule
	// Place is the place of the subject. It is zero for a default.
	Place Place
	// subject is the subject as the operator has written it.
	subject string
}

// AccessRules returns the rules of the share for package access.
func (s *Share) AccessRules() []access.Rule {
	rules := make([]access.Rule, len(s.Rules))
	for i, rule := range s.Rules {
		rules[i] = rule.Rule
	}
	return rules
}

// The words for several users. They can't be the names of users and groups.
const (
	subjectUsers  = "users"
	subjectAnyone = "anyone"
)

// pendingRule is a rule whose subject has not been looked up, because the users aren't known yet.
type pendingRule struct {
	share *Share
	rule  int
	key   string
}

// rights reads the rights at a path of a share.
func (f *file) rights(s *Share, below string, v value) {
	for _, e := range f.entries(v) {
		texts := f.texts(e.value)
		if e.node.Kind == yaml.SequenceNode {
			texts = append(texts, texts...) // [write] is the single right and not the preset
		}
		rights, err := storage.ParseRights(texts...)
		if err != nil {
			f.wrong(e.value, "%w", err)
		}
		if e.isNull() {
			f.wrong(e.value, "the rights are missing: write read, add, write, none, or a list of rights")
		}
		s.Rules = append(s.Rules, Rule{Rule: access.Rule{Path: below, Rights: rights}, Place: e.at, subject: e.name})
		f.pending = append(f.pending, pendingRule{s, len(s.Rules) - 1, e.key})
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
	type where struct {
		share   *Share
		path    string
		subject access.Subject
	}
	first := make(map[where]Place)
	for _, p := range f.pending {
		rule := &p.share.Rules[p.rule]
		var err error
		if rule.Subject, err = f.subject(p, known); err != nil {
			f.note(rule.Place, p.key, err)
			continue
		}
		here := where{p.share, rule.Path, rule.Subject}
		if other, twice := first[here]; twice {
			f.note(rule.Place, p.key, fmt.Errorf("%s already has rights here, in line %d: remove one of the two", rule.Subject, other.Line))
		}
		first[here] = rule.Place
	}
}

func (f *file) subject(p pendingRule, known *accounts) (access.Subject, error) {
	written := p.share.Rules[p.rule].subject
	kind, name, prefixed := strings.Cut(written, ":")
	switch {
	case written == subjectUsers:
		return access.Users(), known.needed()
	case written == subjectAnyone:
		return access.Anyone(), nil
	case written == UserSegment && !p.share.PerUser():
		return access.Subject{}, errors.New("the name of this share has no {user}: write the name of a user or group")
	case written == UserSegment:
		return access.Owner(), nil
	case prefixed && kind == "user":
		return access.User(name), known.user(name)
	case prefixed && kind == "group":
		return access.Group(name), known.group(name)
	case known.groups[written]:
		return access.Group(written), nil
	case known.users[written]:
		return access.User(written), nil
	case known.open:
		return access.Subject{}, fmt.Errorf("it is not in this file: write user:%s or group:%[1]s", written)
	}
	return access.Subject{}, fmt.Errorf("no user or group has this name%s", setting.DidYouMean(written, known.all()))
}
