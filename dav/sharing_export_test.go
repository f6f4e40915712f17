package dav

// ForgetHandlers resets the records about all Handlers of this process and the flags
// for logged warnings.
func ForgetHandlers() {
	parts.mu.Lock()
	defer parts.mu.Unlock()
	parts.parts, parts.warned = nil, false
	briefs.born.Store(0)
	briefs.grown.Store(0)
	briefs.warned.Store(false)
}
