package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/mount"
)

// restricts reports whether some client lacks a right in the shares of cfg.
func restricts(cfg *config.Config) bool {
	return cfg.Asks() || slices.ContainsFunc(cfg.Shares, func(s *config.Share) bool { return !opensAll(s) })
}

// opensAll reports whether everyone may do everything in a share.
func opensAll(share *config.Share) bool {
	toAnyone := slices.ContainsFunc(share.Rules, func(rule config.Rule) bool { return rule.Path == "" && rule.Subject == access.Anyone() })
	limits := slices.ContainsFunc(share.Rules, func(rule config.Rule) bool { return rule.Rights != storage.RightsWrite })
	return toAnyone && !limits && !share.ReadOnly
}

// policyOf returns the rights that cfg gives.
func policyOf(cfg *config.Config) (*access.Policy, error) {
	shares := make([]access.Share, len(cfg.Shares))
	for i, share := range cfg.Shares {
		rules := share.AccessRules()
		for i := range rules {
			if share.ReadOnly {
				rules[i].Rights &= storage.RightsRead
			}
		}
		shares[i] = access.Share{At: share.Name, Rules: rules}
	}
	return access.NewPolicy(shares, cfg.GroupsOf())
}

// isPublic reports whether the path of r belongs to a share with rights for clients without a
// name. The root always asks for a password, because many clients log in only if they are
// asked.
func isPublic(cfg *config.Config, r *http.Request) bool {
	rest, ok := strings.CutPrefix(r.URL.Path, cfg.Handler.Prefix)
	name := storage.Clean(rest)
	if id, isDocument := operation.DocumentID(name); ok && isDocument && id != "" {
		// A client without a name may follow what it does in a public share.
		return slices.ContainsFunc(cfg.Shares, isOpen)
	}
	if !ok || name == "/" || storage.Reserved(name) {
		return false
	}
	share := cfg.ShareAt(name)
	return share != nil && isOpen(share)
}

// isOpen reports whether clients without a name have rights in a share.
func isOpen(share *config.Share) bool {
	return slices.ContainsFunc(share.Rules, func(rule config.Rule) bool {
		return rule.Subject == access.Anyone() && rule.Rights != storage.RightsNone
	})
}

// views are what the users of a configuration see.
type views struct {
	cfg    *config.Config
	policy *access.Policy

	mu    sync.RWMutex
	known map[string]seen // by user
}

// seen is what a user sees.
type seen struct {
	groups []string  // of the login
	view   *dav.View // nil for one who sees the shares at their own names
}

// maxViews limits the views in memory. One that was dropped is made again.
const maxViews = 4096

// viewsOf returns nil if all users of cfg see the shares at their own names.
func viewsOf(cfg *config.Config, policy *access.Policy) *views {
	if cfg.Home == "" && !slices.ContainsFunc(cfg.Users, func(u *config.User) bool { return u.Home != "" }) {
		return nil
	}
	return &views{cfg: cfg, policy: policy, known: make(map[string]seen)}
}

// of returns the view of the user of ctx.
func (v *views) of(ctx context.Context) *dav.View {
	login := storage.LoginOf(ctx)
	user := login.Principal
	if !mount.ValidUser(user) {
		return nil
	}
	v.mu.RLock()
	known, ok := v.known[user]
	v.mu.RUnlock()
	if ok && slices.Equal(known.groups, login.Groups) {
		return known.view
	}
	known = seen{slices.Clone(login.Groups), v.viewOf(login)}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxViews {
		clear(v.known)
	}
	v.known[user] = known
	return known.view
}

// viewOf returns the view of a user: the home at "/", and beside its members the other shares
// that the user may see. A hidden share must not hide a member of the home.
func (v *views) viewOf(login storage.Login) *dav.View {
	home, others := v.cfg.ViewOf(login.Principal)
	if home == "" {
		return nil
	}
	points := []dav.MountPoint{{At: "/", Name: home}}
	add := func(at, name string) {
		if v.policy.Shows(login, name) {
			points = append(points, dav.MountPoint{At: at, Name: name})
		}
	}
	for at, name := range others {
		add(at, name)
	}
	if others == nil {
		for _, at := range besideHome(v.cfg, home) {
			add(at, at)
		}
	}
	view, err := dav.NewView(points...)
	if err != nil {
		return nowhere // package config has checked the names
	}
	return view
}

// nowhere is a view without anything in it.
var nowhere, _ = dav.NewView(dav.MountPoint{At: "/", Name: "/.none"}) // it is valid

// besideHome returns the collections that contain shares, except for the one with the homes.
func besideHome(cfg *config.Config, home string) (names []string) {
	seen := map[string]bool{"/": true, firstSegment(home): true}
	for _, share := range cfg.Shares {
		if at := firstSegment(share.Name); !seen[at] {
			seen[at] = true
			names = append(names, at)
		}
	}
	return names
}

// firstSegment returns the name of the collection in the root that contains name.
func firstSegment(name string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	return "/" + first
}
