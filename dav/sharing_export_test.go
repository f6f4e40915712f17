package dav

// ForgetHandlers forgets what is known of all Handlers of this process, and that it was
// logged.
func ForgetHandlers() {
	parts.mu.Lock()
	defer parts.mu.Unlock()
	parts.parts, parts.warned = nil, false
	briefs.born.Store(0)
	briefs.grown.Store(0)
	briefs.warned.Store(false)
}
