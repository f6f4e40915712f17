package lock

// Size returns the number of locks, names, principals and clients in the index.
func (s *System) Size() int {
	nodes := -1 // does not count the node of "/"
	for open := []*node{&s.index.root}; len(open) > 0; nodes++ {
		last := open[len(open)-1]
		open = open[:len(open)-1]
		for _, m := range last.members {
			open = append(open, m)
		}
	}
	return nodes + len(s.index.byToken) + len(s.index.used) + len(s.index.root.locks)
}

// Stale returns how many tokens wait to be deleted from the Store.
func (s *System) Stale() int { return len(s.stale) }
