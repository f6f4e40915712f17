package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

// finish checks what depends on several parts of the files, and puts it into c.
func (f *file) finish(c *Config, before *Config) {
	c.LDAP, c.UserHeader = f.ldap, f.header
	if f.header != nil && len(c.Handler.TrustedProxies) == 0 {
		f.note(f.header.Place, "user-header", errors.New("it has no effect without trusted-proxy: name the network of the proxy"))
	}
	slices.SortFunc(f.shares, func(a, b *Share) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(f.users, func(a, b *User) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(f.groups, func(a, b *Group) int { return cmp.Compare(a.Name, b.Name) })
	c.Shares, c.Users, c.Groups = f.shares, f.users, f.groups
	c.sharesByRoot = sharesByRoot(f.shares)
	known := c.accounts()
	f.resolve(known)
	f.finishUsers(known, c)
	f.finishShares(known, c)
	f.checkPlaces(c, before)
}

// finishUsers checks the users, and gives each one all of its groups.
func (f *file) finishUsers(known *accounts, c *Config) {
	for _, member := range f.members {
		if err := known.user(member.node.Value); err != nil {
			f.wrong(member, "%w", err)
		}
	}
	groupsOf := make(map[string][]string)
	for _, g := range f.groups {
		for _, member := range g.Members {
			groupsOf[member] = append(groupsOf[member], g.Name)
		}
		if known.users[g.Name] {
			f.note(g.Place, "groups."+g.Name, errors.New("a user has the same name: rename one of the two"))
		}
	}
	for _, u := range f.users {
		for _, name := range u.Groups {
			if err := checkPrincipal(name); err != nil {
				f.badKey(u.keys, "groups", fmt.Sprintf("%s: %v", name, err))
			} else if known.users[name] {
				f.badKey(u.keys, "groups", name+" is the name of a user: choose another one for the group")
			}
		}
		u.Groups = append(u.Groups, groupsOf[u.Name]...)
		slices.Sort(u.Groups)
		u.Groups = slices.Compact(u.Groups)
		if u.Hash == "" && !given(u.keys, "password") && !given(u.keys, "password-file") && !known.open && len(c.HTPasswd) == 0 {
			f.note(u.Place, "users."+u.Name, errors.New("the password is missing: write password: HASH, as davd passwd prints it"))
		}
		f.checkView(c, u)
	}
	if c.Home != "" && !f.serves(c.Home, UserSegment) {
		f.error(f.home.Wrong(fmt.Errorf("no share contains %s%s", c.Home, f.didYouMeanShare(c.Home))))
	}
}

// checkView checks that the home and the shares of the user exist.
func (f *file) checkView(c *Config, u *User) {
	if u.Home != "" && !f.serves(u.Home, u.Name) {
		f.badKey(u.keys, "home", fmt.Sprintf("no share contains %s%s", u.Home, f.didYouMeanShare(u.Home)))
	}
	if len(u.Views) > 0 && cmp.Or(u.Home, c.Home) == "" {
		f.badKey(u.keys, "shares", "it has no effect without home: write home: and the share that this user sees at /")
	}
	for _, at := range slices.Sorted(maps.Keys(u.Views)) {
		name := u.Views[at]
		if !f.serves(name, u.Name) {
			f.badKey(u.keys, "shares", fmt.Sprintf("%s: no share contains %s%s", at, name, f.didYouMeanShare(name)))
		}
	}
}

// serves reports whether a share contains the name for the user.
func (f *file) serves(name, user string) bool {
	name = strings.ReplaceAll(name, UserSegment, user)
	return slices.ContainsFunc(f.shares, func(s *Share) bool {
		root := s.NameFor(user)
		return root == "/" || name == root || strings.HasPrefix(name, root+"/")
	})
}

func (f *file) didYouMeanShare(name string) string {
	var all []string
	for _, s := range f.shares {
		all = append(all, s.Name)
	}
	return setting.DidYouMean(name, all)
}

// finishShares gives the shares what follows from other settings, and checks them together.
func (f *file) finishShares(known *accounts, c *Config) {
	ids := make(map[string]*Share)
	for _, s := range f.shares {
		s.Links = cmp.Or(s.Links, c.Local.Links)
		if s.Dir != "" {
			s.Umask, s.UID, s.GID = cmp.Or(s.Umask, c.Local.Umask), cmp.Or(s.UID, c.Local.UID), cmp.Or(s.GID, c.Local.GID)
		}
		s.Sync = cmp.Or(s.Sync, c.sync())
		s.ReadOnly = s.ReadOnly || s.Zip != ""
		if s.Rules == nil {
			s.Rules = defaultRules(s, known)
		}
		if other := ids[s.ID]; other != nil {
			f.note(s.Place, "shares."+s.Name, fmt.Errorf("%s has the same id %s: give one of the two another", other.Name, s.ID))
		}
		ids[s.ID] = s
		if s.PerUser() && known.needed() != nil {
			f.note(s.Place, "shares."+s.Name, errors.New("{user} has no meaning without users: add users, or write a plain name"))
		}
	}
	f.checkHidden(known)
}

// checkHidden notes a problem if the instance of a user has the name of another share.
func (f *file) checkHidden(known *accounts) {
	byName := make(map[string]*Share)
	for _, s := range f.shares {
		if other := byName[s.Name]; other != nil {
			f.note(s.Place, "shares."+s.Name, fmt.Errorf("the share in line %d has the same name: rename one of the two", other.Place.Line))
		}
		byName[s.Name] = s
	}
	for _, s := range f.shares {
		segments := strings.Split(s.Name, "/")
		for i, segment := range segments {
			if !known.users[segment] {
				continue
			}
			pattern := slices.Clone(segments)
			pattern[i] = UserSegment
			if other := byName[strings.Join(pattern, "/")]; other != nil {
				f.note(s.Place, "shares."+s.Name, fmt.Errorf("%s would give the user %s the same name: rename the share", other.Name, segment))
			}
		}
	}
}

// defaultRules returns the rules of a share without rights. Its owner or, without {user}, all
// users may do everything. Without users, anyone may, as with davd serve DIR.
func defaultRules(s *Share, known *accounts) []Rule {
	rule := Rule{Rule: access.Rule{Subject: access.Users(), Rights: storage.RightsWrite}, subject: subjectUsers}
	switch {
	case s.PerUser():
		rule.Subject, rule.subject = access.Owner(), UserSegment
	case known.needed() != nil:
		rule.Subject, rule.subject = access.Anyone(), subjectAnyone
	}
	return []Rule{rule}
}
