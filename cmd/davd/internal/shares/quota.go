package shares

import (
	"cmp"
	"slices"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/quotas"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/quota"
)

// counted identifies a storage: the id of a share, and the user or "".
type counted struct{ id, user string }

// limit returns opened with the quota of the share.
func (s *Shares) limit(opened *mount.Storage, share *config.Share, user string) *mount.Storage {
	key := counted{share.ID, user}
	limited := quota.New(opened.FS, quota.Options{Limit: s.quotaOf(share), Counted: quotas.Report(s.Log, share.NameFor(user))})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quotas == nil {
		s.quotas = make(map[counted]*quota.FS)
	}
	s.quotas[key] = limited
	return &mount.Storage{FS: limited, Ask: opened.Ask, End: func() error {
		s.mu.Lock()
		if s.quotas[key] == limited {
			delete(s.quotas, key)
		}
		s.mu.Unlock()
		return opened.Close()
	}}
}

// quotaOf returns the quota of the newest configuration, which may be newer than share.
func (s *Shares) quotaOf(share *config.Share) int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if current := s.current[share.ID]; current != nil {
		return current.Quota
	}
	return share.Quota
}

// setQuotasLocked applies the quotas of the current shares to the open storages.
func (s *Shares) setQuotasLocked() {
	for key, limited := range s.quotas {
		if share := s.current[key.id]; share != nil {
			limited.SetLimit(share.Quota)
		}
	}
	for key, opened := range s.objects {
		if share := s.current[key.id]; share != nil {
			opened.SetLimit(share.Quota)
		}
	}
}

// Quotas returns the open storages whose usage is counted, in the order of their names: those with a
// quota, and those with objects.
func (s *Shares) Quotas() []quotas.Share {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []quotas.Share
	for key, limited := range s.quotas {
		if share := s.current[key.id]; share != nil {
			found = append(found, quotas.Share{Name: share.NameFor(key.user), Quota: limited})
		}
	}
	for key, opened := range s.objects {
		if share := s.current[key.id]; share != nil {
			found = append(found, quotas.Share{Name: share.NameFor(key.user), Quota: opened})
		}
	}
	slices.SortFunc(found, func(a, b quotas.Share) int { return cmp.Compare(a.Name, b.Name) })
	return found
}
