package storagetest

import (
	"context"
	"errors"

	"github.com/davd/davd/storage"
)

// faultListing is a storage.Listing of a Fault.
type faultListing struct {
	storage.Listing
	fault *Fault
	name  string
}

// List implements storage.Lister.
func (f *Fault) List(ctx context.Context, name string) (storage.Listing, error) {
	if err := f.before("open", name); err != nil {
		return nil, err
	}
	listing, err := storage.List(ctx, f.FS, name)
	if err != nil {
		return nil, err
	}
	return faultListing{Listing: listing, fault: f, name: name}, nil
}

func (l faultListing) Next(ctx context.Context) (storage.Members, error) {
	if err := l.fault.before("readdir", l.name); err != nil {
		return nil, err
	}
	return l.Listing.Next(ctx)
}

func (l faultListing) Close() error {
	err := l.fault.before("close", l.name)
	return errors.Join(err, l.Listing.Close())
}
