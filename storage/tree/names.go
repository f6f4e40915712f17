package tree

// chain is a collection in a chain of those that hold it. It knows its last segment
// and not its name: the names of a chain of n collections would take n² bytes.
type chain struct {
	above *chain // what holds it; nil of the root
	base  string // its last segment; unused of the root
}

// path returns the name of c where the root has the name root.
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
