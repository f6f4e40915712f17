package tree

// chain is a collection that knows its last segment and the collection above it, but
// not its full name: the names in a chain of n collections would take n² bytes.
type chain struct {
	above *chain // the collection that contains it; nil for the root
	base  string // the last segment of its name; unused for the root
}

// path returns the name of c if the root of the chain has the name root.
func (c *chain) path(root string) string {
	size := len(root)
	for at := c; at.above != nil; at = at.above {
		size += len("/") + len(at.base)
	}
	if size == len(root) {
		return root
	}
	name := make([]byte, size)
	copy(name, root)
	for at := c; at.above != nil; at = at.above {
		size -= len(at.base)
		copy(name[size:], at.base)
		size--
		name[size] = '/'
	}
	return string(name)
}

// below returns the name of the member base of the collection name.
func below(name, base string) string {
	if name == "/" {
		return name + base
	}
	return name + "/" + base
}
