package operation

// Key holds everything that decides what a COPY, MOVE or DELETE does. Two requests are
// identical if their keys are equal. No request has the zero value.
type Key struct {
	// Stranger is nil if the client is known. Otherwise it is a new pointer for each
	// request, so that no other request is identical.
	Stranger *byte
	// Server serves the request. Servers may share their Claims, so the key names the
	// server. It must be comparable.
	Server any
	// Tenant is the tenant as the Claims know it.
	Tenant, Principal, Method string
	// Source and Destination are canonical names, so that two names of one resource make
	// the same request.
	Source, Destination string
	Depth, Overwrite    string
	// When holds the conditional headers, and what their meaning depends on.
	When string
}

// joinable reports whether other requests may join the operation of k.
func (k *Key) joinable() bool { return k.Method != "" }
