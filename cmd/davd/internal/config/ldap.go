package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// LDAP says how users and their groups are looked up in a directory service.
type LDAP struct {
	// Place is the place of the key ldap.
	Place Place
	// URL is ldap://HOST[:PORT], ldaps://HOST[:PORT] or ldapi:///PATH.
	URL *url.URL
	// BindDN and BindPassword log in to search. They are empty for an anonymous search.
	BindDN, BindPassword string
	// UserDN is the name of a user's entry, with {user}, such as
	// uid={user},ou=people,dc=example. It is empty if the entry is searched for.
	UserDN string
	// Base is where a user's entry is searched for, and Filter what it must match, with {user}.
	Base, Filter string
	// NameAttribute has the name of a user; empty for the one that Filter or UserDN compares.
	NameAttribute string
	// GroupBase is where groups are searched for; empty for no groups. GroupFilter is what the
	// groups of a user match, with {user} or {dn}. GroupAttribute has the name of a group.
	GroupBase, GroupFilter, GroupAttribute string
	// StartTLS encrypts a connection of ldap://.
	StartTLS bool
	// CA is a PEM file with certificates to trust besides those of the system.
	CA string
	// Timeout is how long the service may take for an answer.
	Timeout time.Duration
	// Pool is how many connections are kept.
	Pool int

	keys []key
}

func (l *LDAP) ldapKeys(f *file) []key {
	var passwordFile string
	return []key{
		{Setting: setting.New("url", "URL", "", setting.Value(&l.URL, parseLDAP),
			"the server, such as ldaps://ldap.example")},
		{Setting: setting.New("bind-dn", "DN", "", setting.Value(&l.BindDN, setting.Text),
			"the entry with which davd logs in to search (default: search without a login)")},
		{Setting: setting.New("bind-password", "TEXT", "", setting.Value(&l.BindPassword, setting.Text),
			"the password for bind-dn")},
		{Setting: setting.New("bind-password-file", "FILE", "", setting.Value(&passwordFile, f.secret(&l.BindPassword, setting.Text)).Relative(setting.Join),
			"in place of bind-password: a file with the password")},
		{Setting: setting.New("user-dn", "DN", "", setting.Value(&l.UserDN, setting.Text),
			"the entry of a user, with {user} for the name, such as uid={user},ou=people,dc=example; in place of base, if all users are in one place")},
		{Setting: setting.New("base", "DN", "", setting.Value(&l.Base, setting.Text),
			"search below this entry for the user")},
		{Setting: setting.New("filter", "FILTER", "(uid={user})", setting.Value(&l.Filter, parseFilter),
			"what the entry of a user matches")},
		{Setting: setting.New("name-attribute", "NAME", "", setting.Value(&l.NameAttribute, setting.Text),
			"the attribute with the name of a user (default: the one that filter or user-dn compares with {user})")},
		{Setting: setting.New("group-base", "DN", "", setting.Value(&l.GroupBase, setting.Text),
			"search below this entry for the groups of a user (default: users have no groups)")},
		{Setting: setting.New("group-filter", "FILTER", "(member={dn})", setting.Value(&l.GroupFilter, parseFilter),
			"what the groups of a user match, with {user} for the name or {dn} for the entry")},
		{Setting: setting.New("group-attribute", "NAME", "cn", setting.Value(&l.GroupAttribute, setting.Text),
			"the attribute with the name of a group")},
		{Setting: setting.New("start-tls", "", "", setting.Switch(&l.StartTLS),
			"encrypt a connection to ldap://")},
		{Setting: setting.New("ca", "FILE", "", setting.File(&l.CA),
			"trust the certificates in this PEM file as well")},
		{Setting: setting.New("timeout", "TIME", "10s", setting.Value(&l.Timeout, aboveZero),
			"how long the server may take for an answer")},
		{Setting: setting.New("pool", "NUMBER", "4", setting.Value(&l.Pool, setting.Count),
			"how many connections are kept open")},
	}
}

// parseLDAP parses the URL of a directory service.
func parseLDAP(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme != "ldap" && u.Scheme != "ldaps" && u.Scheme != "ldapi", u.Host == "" && u.Scheme != "ldapi":
		return nil, errors.New("it is not an LDAP URL: write ldaps://HOST or ldap://HOST") // don't show s: it may contain a password
	case u.User != nil:
		return nil, errors.New("the URL has a user name: write it as bind-dn")
	case u.RawQuery != "" || strings.Trim(u.Path, "/") != "" && u.Scheme != "ldapi":
		return nil, errors.New("the URL has more than a host: write the entry to search as base, and what it must match as filter")
	}
	return u, nil
}

// parseFilter checks the parentheses and placeholders of a filter (RFC 4515).
func parseFilter(s string) (string, error) {
	if !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") || strings.Count(s, "(") != strings.Count(s, ")") {
		return "", fmt.Errorf("%q is not a filter: write it in parentheses, such as (uid={user})", s)
	}
	if !strings.Contains(s, UserSegment) && !strings.Contains(s, "{dn}") {
		return "", fmt.Errorf("%q is the same for all users: write {user} for the name", s)
	}
	return s, nil
}

// ldapSection reads the section ldap.
func (f *file) ldapSection(e entry) {
	l := &LDAP{Place: e.at}
	l.keys = l.ldapKeys(f)
	f.section(e.value, l.keys)
	f.ldap = l
	if !given(l.keys, "url") {
		f.note(e.at, e.key, errors.New("the server is missing: write url: ldaps://HOST"))
		return
	}
	f.checkSearch(l, e)
	if l.URL == nil {
		return
	}
	switch {
	case l.StartTLS && l.URL.Scheme != "ldap":
		f.badKey(l.keys, "start-tls", "it only has an effect with ldap://: leave it out")
	case l.URL.Scheme == "ldap" && !l.StartTLS && !onThisMachine(l.URL):
		f.warn(find(l.keys, "url").Origin().Place, "passwords travel to %s in clear text: write ldaps://, or start-tls: true", l.URL.Host)
	}
}

// checkSearch checks how users are found.
func (f *file) checkSearch(l *LDAP, e entry) {
	if l.BindPassword != "" {
		f.secrets = true
	}
	switch {
	case l.UserDN == "" && l.Base == "":
		f.note(e.at, e.key, errors.New("it does not say where users are: write base or user-dn"))
	case l.UserDN != "" && l.Base != "":
		f.badKey(l.keys, "user-dn", "it contradicts base: leave out one of the two")
	case l.UserDN != "" && !strings.Contains(l.UserDN, UserSegment):
		f.badKey(l.keys, "user-dn", "it is the same for all users: write {user} for the name")
	case strings.Contains(l.Filter, "{dn}"):
		f.badKey(l.keys, "filter", "{dn} is not known before the search: write {user}")
	}
	switch password := given(l.keys, "bind-password"); {
	case password && given(l.keys, "bind-password-file"):
		f.badKey(l.keys, "bind-password-file", "it contradicts bind-password: leave out one of the two")
	case l.BindDN == "" && l.BindPassword != "" && password:
		f.badKey(l.keys, "bind-password", "it has no effect without bind-dn: add that")
	case l.BindDN != "" && !password && !given(l.keys, "bind-password-file"):
		f.badKey(l.keys, "bind-dn", "its password is missing: write bind-password-file")
	}
}

// onThisMachine reports whether the server runs on this machine.
func onThisMachine(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() || u.Hostname() == "localhost"
}

// UserHeader has the headers that a trusted proxy uses to name the user.
type UserHeader struct {
	// Place is the place of the key user-header.
	Place Place
	// Name is the header with the user's name, and Groups that with the user's groups, separated
	// by commas. Groups may be empty.
	Name, Groups string

	keys []key
}

func (h *UserHeader) headerKeys() []key {
	return []key{
		{Setting: setting.New("name", "HEADER", "", setting.Value(&h.Name, parseHeader),
			"the header with the user's name, such as X-Remote-User")},
		{Setting: setting.New("groups-header", "HEADER", "", setting.Value(&h.Groups, parseHeader),
			"the header with the user's groups, separated by commas (default: no groups)")},
	}
}

// userHeader reads the section user-header.
func (f *file) userHeader(e entry) {
	h := &UserHeader{Place: e.at}
	h.keys = h.headerKeys()
	f.section(e.value, h.keys)
	f.header = h
	if !given(h.keys, "name") {
		f.note(e.at, e.key, errors.New("the header is missing: write name: X-Remote-User, for example"))
	}
}

// parseHeader parses the name of a header field (RFC 9110 §5.1).
func parseHeader(s string) (string, error) {
	if !isProduct(s) {
		return "", fmt.Errorf("%q is not the name of a header", s)
	}
	return s, nil
}
