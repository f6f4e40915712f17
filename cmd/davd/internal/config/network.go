package config

import "time"

// Network has the options of connections, and of requests before they reach the files.
type Network struct {
	// Connections is how many connections may be open.
	Connections Connections
	// HeaderTimeout is how long the header of a request may take.
	HeaderTimeout time.Duration
}

// Connections limits the open connections: All together, and Of one address.
type Connections struct{ All, Of int }
