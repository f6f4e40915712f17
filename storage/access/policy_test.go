package access

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

const (
	none  = storage.RightsNone
	read  = storage.RightsRead
	add   = storage.RightsAdd
	write = storage.RightsWrite
)

func policy(t testing.TB, shares ...Share) *Policy {
	t.Helper()
	p, err := NewPolicy(shares, map[string][]string{"ann": {"staff", "family"}, "bob": {"staff"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// site has a share of each kind.
func site(t testing.TB) *Policy {
	t.Helper()
	return policy(t,
		Share{At: "/open"},
		Share{At: "/home/{user}", Rules: []Rule{
			{"/", Owner(), write},
			{"/", User("root"), read},
			{"/shared", Users(), read},
		}},
		Share{At: "/homes/{user}"},
		Share{At: "/public", Rules: []Rule{
			{"/", Anyone(), read},
			{"/", Users(), add},
			{"/", Group("family"), write},
			{"/inbox", Anyone(), storage.RightCreate},
			{"/sécret", Anyone(), none},
		}},
		Share{At: "/team", Rules: []Rule{
			{"/", Group("staff"), write},
			{"/", Group("family"), read},
			{"/", User("eve"), read},
			{"/", Users(), none},
			{"/Payroll", Group("staff"), none},
			{"/Payroll", User("bob"), read},
			{"/Payroll/2026", User("ann"), read},
			{"/a/b/c", User("eve"), write},
		}},
		Share{At: "/team/extra", Rules: []Rule{{"/", User("eve"), read}}},
	)
}

// TestRights: for each name and principal, exactly one path decides, and at that path the most
// specific kind of subject.
func TestRights(t *testing.T) {
	a := New(webdav.NewMemFS(), site(t))
	for _, tt := range []struct {
		who, name string
		want      storage.Right
		hidden    bool // if want is none
	}{
		// A share without rules is open to all users.
		{"ann", "/open", write, false},
		{"ann", "/open/x/y", write, false},
		{"", "/open", none, true},
		// A name that only begins like a share is another one.
		{"ann", "/opener", none, true},
		// Above the shares, users see the way to what they may see.
		{"ann", "/", storage.RightList, false},
		{"", "/", none, false},
		{"ann", "/home", storage.RightList, false},
		{"", "/home", none, true},
		{"ann", "/elsewhere", none, true},
		// {user} is the owner alone.
		{"ann", "/home/ann", write, false},
		{"ann", "/home/ann/x", write, false},
		{"ann", "/home/bob", storage.RightList, false}, // the way to shared
		{"ann", "/home/bob/x", none, true},
		{"ann", "/home/bob/shared/x", read, false},
		{"root", "/home/bob/x", read, false},
		{"root", "/home/root/x", read, false}, // a rule for the user wins over the one for the owner
		{"", "/home/bob/shared", none, true},
		{"ann", "/homes/ann/x", write, false},
		{"ann", "/homes/bob", none, true},
		// Anyone includes clients without a name; the others win over it.
		{"", "/public/x", read, false},
		{"bob", "/public/x", add, false},
		{"ann", "/public/x", write, false},
		// A more specific path wins, even if the rule is for anyone.
		{"ann", "/public/inbox/x", storage.RightCreate, false},
		{"", "/public/inbox", storage.RightCreate, false},
		{"ann", "/public/sécret", none, true},
		{"ann", "/public/sécret/x", none, true},
		// Groups have all their rights together, and win over users. A rule for a user wins
		// over both.
		{"ann", "/team/x", write, false},
		{"bob", "/team/x", write, false},
		{"eve", "/team/x", read, false},
		{"joe", "/team", none, true},
		{"joe", "/team/x", none, true},
		{"bob", "/team/Payroll/x", read, false},
		{"ann", "/team/Payroll", storage.RightList, false}, // the way to 2026
		{"ann", "/team/Payroll/2025", none, true},
		{"ann", "/team/Payroll/2026", read, false},
		{"eve", "/team/Payroll", read, false}, // no rule there is about eve
		{"eve", "/team/a", read, false},
		{"eve", "/team/a/b/c/d", write, false},
		// A share in another share inherits nothing.
		{"ann", "/team/extra", none, true},
		{"eve", "/team/extra", read, false},
	} {
		ctx := storage.WithPrincipal(context.Background(), tt.who)
		got := storage.RightsAt(ctx, a, tt.name)
		err := a.Allowed(ctx, tt.name, 0, false)
		if got != tt.want || errors.Is(err, fs.ErrNotExist) != tt.hidden || (err == nil) != (got != none) {
			t.Errorf("%q at %s: %v, %v, want %v, hidden %v", tt.who, tt.name, got, err, tt.want, tt.hidden)
		}
		if err != nil && (!errors.Is(err, storage.ErrRefused) || errors.Is(err, fs.ErrPermission) == tt.hidden) {
			t.Errorf("%q at %s: %v matches the wrong errors", tt.who, tt.name, err)
		}
	}
}

// TestLogin: groups and withheld rights of a login count, and the server's own work has all
// rights.
func TestLogin(t *testing.T) {
	a := New(webdav.NewMemFS(), site(t))
	joe := storage.WithPrincipal(context.Background(), "joe")
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want storage.Right
	}{
		{"no group", joe, none},
		{"a group", storage.WithGroups(joe, []string{"staff"}), write},
		{"another group", storage.WithGroups(joe, []string{"family"}), read},
		{"two groups", storage.WithGroups(joe, []string{"family", "staff"}), write},
		{"no group again", joe, none},
		{"a group without a name", storage.WithGroups(context.Background(), []string{"staff"}), none},
		{"at most read", storage.WithRightsAtMost(storage.WithGroups(joe, []string{"staff"}), read), read},
		{"at most twice", storage.WithRightsAtMost(storage.WithRightsAtMost(storage.WithGroups(joe, []string{"staff"}), add), write), add},
		{"the server", storage.Unrestricted(joe), write},
		{"a principal after the server", storage.WithPrincipal(storage.Unrestricted(joe), "joe"), none},
	} {
		if got := storage.RightsAt(tt.ctx, a, "/team/x"); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestTreeRights: a tree needs the right at every name below it, also below those that one share
// contains of another.
func TestTreeRights(t *testing.T) {
	a := New(webdav.NewMemFS(), site(t))
	for _, tt := range []struct {
		who, name string
		want      storage.Right // of delete and read
	}{
		{"bob", "/team/x", storage.RightDelete | storage.RightRead},
		{"bob", "/team", none}, // /team/extra is hidden
		{"bob", "/team/Payroll", storage.RightRead},
		{"eve", "/team", storage.RightRead},
		{"eve", "/team/a/b", storage.RightRead},
		{"eve", "/team/a/b/c", storage.RightDelete | storage.RightRead},
		{"ann", "/public", none}, // hidden: sécret
		{"ann", "/open", storage.RightDelete | storage.RightRead},
		{"ann", "/", none},
		{"ann", "/home", none},
		{"ann", "/home/ann", storage.RightRead}, // shared is read-only for the owner, too
	} {
		ctx := storage.WithPrincipal(context.Background(), tt.who)
		for _, right := range []storage.Right{storage.RightDelete, storage.RightRead} {
			err := a.Allowed(ctx, tt.name, right, true)
			if (err == nil) != tt.want.Has(right) {
				t.Errorf("%s of the tree %s by %q: %v", right, tt.name, tt.who, err)
			}
		}
	}
}

// TestSpellings: a rule restricts every spelling of its name, and grants nothing to another
// one, except to another composition of characters.
func TestSpellings(t *testing.T) {
	a := New(webdav.NewMemFS(), policy(t, Share{At: "/s", Rules: []Rule{
		{"/", Users(), read},
		{"/Private", Users(), none},
		{"/Müll", Users(), write},
		{"/Inbox", Users(), write},
	}}))
	ctx := storage.WithPrincipal(context.Background(), "ann")
	for name, want := range map[string]storage.Right{
		"/s/Private": none, "/s/private": none, "/s/PRIVATE/x": none, "/s/Private.": none, "/s/private::$DATA": none,
		"/s/Pr\u200bivate": none, "/s/Privateer": read,
		"/s/Müll": write, "/s/Mu\u0308ll": write, "/s/mu\u0308ll": read,
		"/s/Inbox": write, "/s/inbox": read, "/s/INBOX/x": read,
	} {
		if got := storage.RightsAt(ctx, a, name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	// Two rules for names that may be the same restrict each other.
	a.SetPolicy(policy(t, Share{At: "/s", Rules: []Rule{
		{"/x/A", Users(), read}, {"/x/a", Users(), add}, {"/x/a/deep", Users(), none}, {"/X", Users(), read},
	}}))
	for name, want := range map[string]storage.Right{
		"/s/x/A": read, "/s/x/a": read, "/s/x/A/deep": none, "/s/x/a/Deep": none, "/s/X/a": read, "/s/x": read, "/s/y": write,
	} {
		if got := storage.RightsAt(ctx, a, name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// TestNewPolicyErrors: a policy that makes no sense is refused.
func TestNewPolicyErrors(t *testing.T) {
	for name, shares := range map[string][]Share{
		"twice":            {{At: "/a"}, {At: "/b"}, {At: "a/"}},
		"owner of a share": {{At: "/a", Rules: []Rule{{"/", Owner(), read}}}},
		"two owners":       {{At: "/{user}/{user}"}},
	} {
		if _, err := NewPolicy(shares, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestManyPrincipals: the tables of many principals don't pile up.
func TestManyPrincipals(t *testing.T) {
	p := policy(t, Share{At: "/home/{user}"})
	a := New(webdav.NewMemFS(), p)
	for i := range 2*maxTables + 1 {
		who := string(rune('a'+i%26)) + string(rune('A'+i/26%26)) + string(rune('0'+i/676))
		if got := storage.RightsAt(storage.WithPrincipal(context.Background(), who), a, "/home/"+who); got != write {
			t.Fatalf("%s: %v", who, got)
		}
	}
	if len(p.tables) > maxTables {
		t.Errorf("%d tables", len(p.tables))
	}
}

// FuzzSpellings: no spelling of a name gives more rights than the name itself gives, or a name
// that the rules don't mention.
func FuzzSpellings(f *testing.F) {
	for _, seed := range []string{"/s/Private", "/s/private/../x", "/S/PRIVATE", "/s/pri\u200bvate", "/s/Mu\u0308ll/x", "/s/İnbox", "//s//"} {
		f.Add(seed)
	}
	a := New(webdav.NewMemFS(), policy(f, Share{At: "/s", Rules: []Rule{
		{"/", Users(), read}, {"/Private", Users(), none}, {"/Müll", Users(), write}, {"/İnbox", Users(), add},
	}}))
	ctx := storage.WithPrincipal(context.Background(), "ann")
	private := []string{"s", storage.Fold("Private")}
	f.Fuzz(func(t *testing.T, name string) {
		name = storage.Clean(name)
		if storage.Reserved(name) {
			return
		}
		segments := split(name)
		got := storage.RightsAt(ctx, a, name)
		switch {
		case len(segments) == 0:
			return
		case segments[0] != "s":
			if got != none {
				t.Errorf("%q is outside the share: %v", name, got)
			}
		case len(segments) > 1 && storage.Fold(segments[1]) == private[1]:
			if got != none {
				t.Errorf("%q may be private: %v", name, got)
			}
		case len(segments) > 1 && segments[1] != "Müll" && segments[1] != "İnbox" && !read.Has(got):
			t.Errorf("%q has no rule: %v", name, got)
		}
	})
}
