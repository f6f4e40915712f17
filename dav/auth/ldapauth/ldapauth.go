// Package ldapauth lets the users of an LDAP directory log in.
package ldapauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/auth/passfile"
)

// The placeholders for the name and the entry of a user.
const (
	userPlaceholder = "{user}"
	dnPlaceholder   = "{dn}"
)

// Options say how to find users in a directory. Either UserDN or Base is required.
type Options struct {
	// URL is ldaps://HOST[:PORT], ldap://HOST[:PORT] or ldapi:///PATH.
	URL *url.URL
	// TLS configures ldaps and StartTLS. If it is nil, the certificates of the system are
	// trusted.
	TLS *tls.Config
	// StartTLS encrypts connections to ldap://.
	StartTLS bool
	// BindDN and BindPassword log in to search. Without them, searches are anonymous, or
	// those of the user with UserDN.
	BindDN, BindPassword string
	// UserDN is the name of a user's entry, with {user} in place of the user name, such as
	// uid={user},ou=people,dc=example.
	UserDN string
	// Base is where the entry is searched for, and Filter what it must match, with {user}.
	// By default, Filter is (uid={user}).
	Base, Filter string
	// NameAttribute has the name of a user. By default it is the first one that Filter or
	// UserDN compares with {user}.
	NameAttribute string
	// GroupBase is where the groups of a user are searched for, "" for no groups.
	// GroupFilter is what they must match, with {user} or {dn}, by default (member={dn}).
	// GroupAttribute has the name of a group, by default cn.
	GroupBase, GroupFilter, GroupAttribute string
	// Timeout limits a connection and each answer; 0 means 10 s.
	Timeout time.Duration
	// Pool is how many connections may exist at a time; 0 means 4.
	Pool int
	// Log gets a message when the directory can't be reached, and when it can again. It may
	// be nil.
	Log *slog.Logger
}

// Directory is an [auth.Finder] of the users of an LDAP directory. A user has the name that
// is in the directory, even if the client has sent another spelling.
//
// A user who is removed from the directory is noticed when the password is verified again,
// which an auth.Handler does every ten minutes.
type Directory struct {
	o    Options
	pool *pool
}

var _ auth.Finder = (*Directory)(nil)

// comparison finds the attribute that is compared with the user name.
var comparison = regexp.MustCompile(`([A-Za-z][A-Za-z0-9-]*)=\{user\}`)

// New returns a Directory. It does not connect yet.
func New(o Options) (*Directory, error) {
	o.Timeout, o.Pool = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.Pool, 4)
	o.Filter, o.GroupFilter = cmp.Or(o.Filter, "(uid="+userPlaceholder+")"), cmp.Or(o.GroupFilter, "(member="+dnPlaceholder+")")
	o.GroupAttribute = cmp.Or(o.GroupAttribute, "cn")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NameAttribute == "" {
		if found := comparison.FindStringSubmatch(cmp.Or(o.UserDN, o.Filter)); found != nil {
			o.NameAttribute = found[1]
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	d := &Directory{o: o}
	d.pool = newPool(&d.o)
	return d, nil
}

func (o *Options) check() error {
	switch {
	case o.URL == nil || o.URL.Scheme != "ldap" && o.URL.Scheme != "ldaps" && o.URL.Scheme != "ldapi":
		return errors.New("LDAP: the URL is missing or is not one of ldap://, ldaps:// or ldapi://")
	case (o.UserDN == "") == (o.Base == ""):
		return errors.New("LDAP: name either the entry of a user or where to search for it")
	case o.NameAttribute == "":
		return errors.New("LDAP: no attribute is compared with {user}")
	}
	for _, dn := range []string{o.BindDN, expand(o.UserDN, ldap.EscapeDN, "user", ""), o.Base, o.GroupBase} {
		if _, err := ldap.ParseDN(dn); err != nil {
			return fmt.Errorf("LDAP: %q is not the name of an entry: %w", dn, err)
		}
	}
	for _, filter := range []string{o.Filter, o.GroupFilter} {
		if _, err := ldap.CompileFilter(expand(filter, ldap.EscapeFilter, "user", "cn=user")); err != nil {
			return fmt.Errorf("LDAP: %q is not a filter: %w", filter, err)
		}
	}
	return nil
}

// expand replaces the placeholders in a template.
func expand(template string, escape func(string) string, user, dn string) string {
	return strings.NewReplacer(userPlaceholder, escape(user), dnPlaceholder, escape(dn)).Replace(template)
}

// Close closes the connections. It does not wait for running calls.
func (d *Directory) Close() error {
	d.pool.close()
	return nil
}

// Verify implements [auth.Verifier].
func (d *Directory) Verify(ctx context.Context, name, password string) (id *auth.Identity, err error) {
	// A bind with a name and no password succeeds without a check (RFC 4513 §5.1.2).
	if password == "" || passfile.CheckName(name) != nil {
		return nil, auth.ErrUnknown
	}
	err = d.pool.do(ctx, func(c *conn) error {
		id, err = d.verify(c, name, password)
		return err
	})
	if err != nil {
		return nil, err
	}
	return id, nil
}

func (d *Directory) verify(c *conn, name, password string) (*auth.Identity, error) {
	if d.o.UserDN != "" && d.o.BindDN == "" {
		if err := c.bindUser(d.dn(name), password); err != nil {
			return nil, err
		}
		found, err := d.look(c, name)
		return found.id, err
	}
	if err := c.bindService(); err != nil {
		return nil, err
	}
	found, err := d.look(c, name)
	if err != nil {
		return nil, err
	}
	return found.id, c.bindUser(found.dn, password)
}

// Valid implements [auth.Verifier]. The directory is not asked.
func (d *Directory) Valid(*auth.Identity) bool { return true }

// Find implements [auth.Finder]. It fails with UserDN unless the directory lets BindDN, or
// everyone, read the entries of users.
func (d *Directory) Find(ctx context.Context, name string) (id *auth.Identity, err error) {
	if passfile.CheckName(name) != nil {
		return nil, auth.ErrUnknown
	}
	err = d.pool.do(ctx, func(c *conn) error {
		if err := c.bindService(); err != nil {
			return err
		}
		found, err := d.look(c, name)
		if err == nil && !found.read {
			err = auth.ErrUnknown
		}
		id = found.id
		return err
	})
	if err != nil {
		return nil, err
	}
	return id, nil
}

func (d *Directory) dn(name string) string { return expand(d.o.UserDN, ldap.EscapeDN, name, "") }

// user is a user of the directory.
type user struct {
	id *auth.Identity
	dn string
	// read says that the entry was read. Some directories don't let users read their own.
	read bool
}

// look returns a user with the groups.
func (d *Directory) look(c *conn, name string) (found user, err error) {
	entry, err := d.entry(c, name)
	switch {
	case err != nil:
		return user{}, err
	case entry != nil:
		name = spelling(entry.GetEqualFoldAttributeValues(d.o.NameAttribute), name)
		found.dn, found.read = entry.DN, true
	case plain(name):
		found.dn = d.dn(name)
	default:
		return user{}, auth.ErrUnknown
	}
	if passfile.CheckName(name) != nil {
		return user{}, auth.ErrUnknown
	}
	groups, err := d.groups(c, name, found.dn)
	found.id = &auth.Identity{Name: name, Groups: groups}
	return found, err
}

// plain reports whether a directory can't take name for another spelling of a name. If the
// entry can't be read, only such a name is accepted, because each spelling would be another
// user for davd.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._@+-", r)
	})
}

// spelling returns the name of a user as the directory has it.
func spelling(names []string, sent string) string {
	for _, name := range names {
		if strings.EqualFold(name, sent) {
			return name
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// entry returns the entry of a user. With UserDN, it is nil if it can't be read.
func (d *Directory) entry(c *conn, name string) (*ldap.Entry, error) {
	if d.o.UserDN != "" {
		found, err := c.search(d.dn(name), ldap.ScopeBaseObject, "(objectClass=*)", d.o.NameAttribute, 1)
		switch {
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights):
			return nil, nil //nolint:nilnil // see above
		case err != nil:
			return nil, err
		case len(found) == 0:
			return nil, nil //nolint:nilnil // see above
		}
		return found[0], nil
	}
	found, err := c.search(d.o.Base, ldap.ScopeWholeSubtree, expand(d.o.Filter, ldap.EscapeFilter, name, ""), d.o.NameAttribute, 2)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || len(found) > 1:
		d.o.Log.Warn("several entries of the directory match a user name, so that no one can log in with it", "user", name)
		return nil, auth.ErrUnknown
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, auth.ErrUnknown
	}
	return found[0], nil
}

// maxGroups limits the groups of a user.
const maxGroups = 1000

func (d *Directory) groups(c *conn, name, dn string) (groups []string, err error) {
	if d.o.GroupBase == "" {
		return nil, nil
	}
	found, err := c.search(d.o.GroupBase, ldap.ScopeWholeSubtree, expand(d.o.GroupFilter, ldap.EscapeFilter, name, dn), d.o.GroupAttribute, maxGroups)
	if err != nil {
		return nil, fmt.Errorf("the groups of a user can't be read: %w", err)
	}
	for _, entry := range found {
		groups = append(groups, entry.GetEqualFoldAttributeValues(d.o.GroupAttribute)...)
	}
	return groups, nil
}
