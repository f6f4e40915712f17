package server

import (
	"errors"
	"fmt"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// Activated returns listeners at the sockets that systemd has passed to this process (sd_listen_fds),
// none without systemd. It returns them only once.
func Activated() ([]*Listener, error) {
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("the sockets that systemd passed can't be used: %w", err)
	}
	listeners := make([]*Listener, 0, len(passed))
	wrong := false
	for _, l := range passed {
		if l == nil {
			wrong = true
			continue
		}
		asked := config.Addr{Network: l.Addr().Network(), Address: l.Addr().String()}
		listeners = append(listeners, &Listener{Listener: l, asked: asked})
	}
	if !wrong {
		return listeners, nil
	}
	err = errors.New("systemd passed a socket that does not accept connections: write ListenStream= in the socket unit")
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return nil, err
}
