package storage

import "context"

// ShownLister is an [FS] with members that clients can use but don't see in a collection.
type ShownLister interface {
	FS

	// ListShown is List without the members that are not shown. See the function
	// [ListShown].
	ListShown(ctx context.Context, name string) (Listing, error)
}

// ListShown opens the collection name for a listing that a client sees. Operations on whole
// trees use [List], so that they copy and remove what is not shown too. Without a
// [ShownLister] it is [List].
func ListShown(ctx context.Context, fsys FS, name string) (Listing, error) {
	if lister, ok := fsys.(ShownLister); ok {
		return lister.ListShown(ctx, name)
	}
	return List(ctx, fsys, name)
}
