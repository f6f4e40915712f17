package storage

import "context"

// List waits once, and the Members wait once more for each member.
func (s *slowFS) List(ctx context.Context, name string) (Listing, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	listing, err := List(ctx, s.fsys, name)
	if err != nil {
		return nil, err
	}
	return slowListing{Listing: listing, slow: s}, nil
}

type slowListing struct {
	Listing
	slow *slowFS
}

func (l slowListing) Next(ctx context.Context) (Members, error) {
	members, err := l.Listing.Next(ctx)
	if members == nil {
		return nil, err
	}
	return slowMembers{Members: members, slow: l.slow}, err
}

type slowMembers struct {
	Members
	slow *slowFS
}

func (m slowMembers) Describe(ctx context.Context, from, to int, dst []Entry) []Entry {
	for at := from; at < to; at++ {
		if err := m.slow.wait(ctx); err != nil {
			return append(dst, Entry{Err: err})
		}
		dst = m.Members.Describe(ctx, at, at+1, dst)
	}
	return dst
}
