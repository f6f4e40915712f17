package dav

// ForgetHandlers resets the records about all Handlers of this process and the flags
// for logged warnings.
func ForgetHandlers() {
	process.parts.mu.Lock()
	defer process.parts.mu.Unlock()
	process.parts.parts, process.parts.warned = nil, false
	process.briefs.born.Store(0)
	process.briefs.grown.Store(0)
	process.briefs.warned.Store(false)
}
