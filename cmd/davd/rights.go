package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

// restricts reports whether somebody may not do everything in the shares of cfg.
func restricts(cfg *config.Config) bool {
	return cfg.Asks() || slices.ContainsFunc(cfg.Shares, func(s *config.Share) bool { return s.ReadOnly || len(s.Rules) > 1 })
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
	if !ok || name == "/" || storage.Reserved(name) {
		return false
	}
	share := shareAt(cfg, name)
	return share != nil && slices.ContainsFunc(share.Rules, func(rule config.Rule) bool {
		return rule.Subject == access.Anyone() && rule.Rights != storage.RightsNone
	})
}

// shareAt returns the share that contains name, or nil.
func shareAt(cfg *config.Config, name string) (found *config.Share) {
	for _, share := range cfg.Shares {
		root, _, _ := strings.Cut(share.Name, "/"+config.UserSegment)
		if storage.Contains(storage.Clean(root), name) && (found == nil || len(share.Name) > len(found.Name)) {
			found = share
		}
	}
	return found
}
