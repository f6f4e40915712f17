package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav/auth/passfile"
	"github.com/davd/davd/storage"
)

// User is a user in a configuration file.
type User struct {
	// Place is the place of the name.
	Place Place
	Name  string
	// Hash is the hash of the password. It is empty if another source checks the password of
	// this user: an htpasswd file, LDAP or a proxy.
	Hash string
	// Groups are all groups of the user, sorted: those written for the user, and those that
	// list the user as a member.
	Groups []string
	// Home is the name of the share, or of a collection in it, that the user sees at "/". It is
	// empty for a user who sees all shares there.
	Home string
	// Views are names of shares by the names at which the user sees them, such as "/pictures":
	// "/photos". It is nil for all shares, at their own names.
	Views map[string]string

	keys []key
}

// Group is a group in a configuration file.
type Group struct {
	// Place is the place of the name.
	Place Place
	Name  string
	// Members are the users that the group lists, sorted.
	Members []string
}

// userKeys returns the keys of a user.
func (u *User) userKeys(f *file) []key {
	var hashFile string
	return []key{
		{Setting: setting.New("password", "HASH", "", setting.Value(&u.Hash, parseHash),
			"a hash of the password, as davd passwd or htpasswd -nB prints it")},
		{Setting: setting.New("password-file", "FILE", "", setting.Value(&hashFile, f.secret(&u.Hash, parseHash)).Relative(setting.Join),
			"in place of password: a file with the hash")},
		{Setting: setting.New("groups", "NAME", "", setting.List(&u.Groups, setting.Text),
			"the groups of this user; the top-level groups can list members as well")},
		{Setting: setting.New("home", "/NAME", "", setting.Value(&u.Home, parseView),
			"the share that this user sees at /, such as /home/{user}; other shares appear in it (default: / shows all shares)")},
		{
			Setting: setting.New("shares", "", "", setting.Field{},
				"the shares that this user sees, by the name at which they appear (default: each one that the user may see, at its own name)"),
			read: func(v value) { u.Views = f.views(v) },
		},
	}
}

// homeKey returns the key of the home of all users.
func (c *Config) homeKey() *setting.Setting {
	return setting.New("home", "/NAME", "", setting.Value(&c.Home, parseView),
		"the share that users see at /, such as /home/{user}, unless they have another home")
}

// ViewOf returns what a user sees: the name of the home, and of other shares by the name at which
// they appear. home is empty for a user who sees all shares at /, and shares is nil for all of
// them at their own names.
func (c *Config) ViewOf(user string) (home string, shares map[string]string) {
	home = c.Home
	i, found := slices.BinarySearchFunc(c.Users, user, func(u *User, name string) int { return cmp.Compare(u.Name, name) })
	if found {
		home = cmp.Or(c.Users[i].Home, home)
		for at, name := range c.Users[i].Views {
			if shares == nil {
				shares = make(map[string]string)
			}
			shares[at] = strings.ReplaceAll(name, UserSegment, user)
		}
	}
	return strings.ReplaceAll(home, UserSegment, user), shares
}

// parseHash checks the hash of a password.
func parseHash(s string) (string, error) {
	_, err := passfile.ParseHash(s)
	return s, ours(err, "make a hash with davd passwd")
}

// ours returns an error of package passfile with another advice than for htpasswd files.
func ours(err error, advice string) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Replace(err.Error(), "create the line again with htpasswd -B", advice, 1))
}

// parseView checks the name of a share.
func parseView(s string) (string, error) { return s, checkName(s) }

// secret returns a parse function that reads a secret from the file with this name into to.
func (f *file) secret(to *string, parse func(string) (string, error)) func(string) (string, error) {
	return func(name string) (string, error) {
		content, err := readFile(name, maxFile)
		if err != nil {
			return "", err
		}
		secret, err := secretOf(name, content.data)
		if err != nil {
			return "", err
		}
		*to, err = parse(secret)
		f.files = append(f.files, name)
		if content.readable {
			f.warnings = append(f.warnings, name+": every user of this machine can read this secret: change the permissions to 600")
		}
		return name, err
	}
}

func (f *file) views(v value) map[string]string {
	views := make(map[string]string)
	for _, e := range f.entries(v) {
		if err := checkName(e.name); err != nil {
			f.note(e.at, e.key, err)
		} else if e.name == "/" || strings.Count(e.name, "/") > 1 {
			f.note(e.at, e.key, errors.New("shares appear beside the members of the home: write a name with one segment, such as /photos"))
		}
		if name, ok := f.text(e.value); ok {
			views[e.name] = name
		} else if e.isNull() {
			f.wrong(e.value, "the name of the share is missing: write %s: /NAME", e.name)
		}
	}
	return views
}

// user reads a user.
func (f *file) user(e entry) {
	u := User{Place: e.at, Name: e.name}
	if err := checkPrincipal(e.name); err != nil {
		f.note(e.at, e.key, err)
	}
	u.keys = u.userKeys(f)
	f.section(e.value, u.keys)
	if given(u.keys, "password") && given(u.keys, "password-file") {
		f.badKey(u.keys, "password-file", "it contradicts password: leave out one of the two")
	}
	if u.Hash != "" {
		f.secrets = true
	}
	f.users = append(f.users, &u)
}

// group reads a group.
func (f *file) group(e entry) {
	g := Group{Place: e.at, Name: e.name}
	if err := checkPrincipal(e.name); err != nil {
		f.note(e.at, e.key, err)
	}
	for _, member := range f.list(e.value) {
		g.Members = append(g.Members, member.node.Value)
		f.members = append(f.members, member)
	}
	slices.Sort(g.Members)
	g.Members = slices.Compact(g.Members)
	f.groups = append(f.groups, &g)
}

// checkPrincipal returns an error if a user or group can't have this name. A user's name may be
// a segment of the name of a share.
func checkPrincipal(name string) error {
	switch {
	case name == subjectUsers, name == subjectAnyone, name == UserSegment:
		return fmt.Errorf("%s means several users in rights: choose another name", name)
	case name == ".", name == "..", strings.ContainsAny(name, "/{}\\"):
		return errors.New("the name can't be that of a directory: choose one without /, \\ and braces")
	case storage.Reserved(name):
		return errors.New("the name is reserved: choose one that does not begin with .davd- and is not .DAV")
	}
	return ours(passfile.CheckName(name), "choose another name")
}

// GroupsOf returns the groups of all users that the file names, also of those whose passwords
// are elsewhere.
func (c *Config) GroupsOf() map[string][]string {
	groups := make(map[string][]string)
	for _, u := range c.Users {
		groups[u.Name] = u.Groups
	}
	for _, g := range c.Groups { // sorted
		for _, member := range g.Members {
			if !slices.Contains(groups[member], g.Name) {
				groups[member] = append(groups[member], g.Name)
			}
		}
	}
	return groups
}

// accounts are the names of users and groups that are known.
type accounts struct {
	users, groups map[string]bool
	// open says that there may be others, which a directory service or proxy knows.
	open bool
}

// all returns the words that may be a subject.
func (k *accounts) all() []string {
	return slices.Concat([]string{subjectUsers, subjectAnyone}, slices.Sorted(maps.Keys(k.users)), slices.Sorted(maps.Keys(k.groups)))
}

var errNoUsers = errors.New("it has no effect without users: add users, or give rights to anyone")

// needed returns an error for a configuration without users.
func (k *accounts) needed() error {
	if !k.open && len(k.users) == 0 {
		return errNoUsers
	}
	return nil
}

// user returns an error if the user is unknown.
func (k *accounts) user(name string) error {
	if k.open || k.users[name] {
		return nil
	}
	return fmt.Errorf("no user is called %s%s", name, setting.DidYouMean(name, slices.Sorted(maps.Keys(k.users))))
}

// group returns an error if the group is unknown.
func (k *accounts) group(name string) error {
	if k.open || k.groups[name] {
		return nil
	}
	return fmt.Errorf("no group is called %s%s", name, setting.DidYouMean(name, slices.Sorted(maps.Keys(k.groups))))
}

// accounts returns the names of the users and groups of c.
func (c *Config) accounts() *accounts {
	known := &accounts{users: make(map[string]bool), groups: make(map[string]bool)}
	known.open = c.LDAP != nil || c.UserHeader != nil
	for _, u := range c.Users {
		known.users[u.Name] = true
		for _, g := range u.Groups {
			known.groups[g] = true
		}
	}
	for _, g := range c.Groups {
		known.groups[g.Name] = true
	}
	for _, name := range c.HTPasswd {
		content, err := readFile(name, maxPasswords)
		passwords, damaged := passfile.Parse(name, content.data)
		if err != nil || damaged != nil {
			known.open = true // package auth reports that
		}
		for user := range passwords {
			known.users[user] = true
		}
	}
	return known
}
