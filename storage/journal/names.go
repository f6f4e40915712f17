package journal

import "context"

// Names translates names for records about an FS that combines several storages, so that a
// record still means the same files after a storage has got another place.
type Names interface {
	// In returns the name in the journal. ok is false if no storage contains name. Then the
	// journal has name itself.
	In(ctx context.Context, name string) (inState string, ok bool)
	// Out is the reverse of In. ok is false if the storage is absent.
	Out(ctx context.Context, inState string) (name string, ok bool)
	// Storage returns the name of the root of the storage that contains name, and the
	// storage.Identity of the storage. Both are "" if no storage contains name.
	Storage(ctx context.Context, name string) (root, identity string, err error)
}
