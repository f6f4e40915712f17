package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// Listener is a listener that remembers the address that the operator asked for.
type Listener struct {
	net.Listener
	asked config.Addr
}

// Listen opens a listener for each address. If one fails, it closes the others.
func Listen(ctx context.Context, addrs []config.Addr) ([]*Listener, error) {
	listeners := make([]*Listener, 0, len(addrs))
	for _, addr := range addrs {
		l, err := listen(ctx, addr)
		if err != nil {
			for _, opened := range listeners {
				err = errors.Join(err, opened.Close())
			}
			return nil, err
		}
		listeners = append(listeners, &Listener{Listener: l, asked: addr})
	}
	return listeners, nil
}

func listen(ctx context.Context, addr config.Addr) (net.Listener, error) {
	if addr.Network == "unix" {
		return listenUnix(ctx, addr.Address)
	}
	var open net.ListenConfig
	l, err := open.Listen(ctx, addr.Network, addr.Address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, errAddrInUse):
		return nil, fmt.Errorf("%s: another program listens there: choose another --addr (port 0 is any free port)", addr)
	case errors.Is(err, errAddrNotAvail):
		return nil, fmt.Errorf("%s: this machine does not have that address: choose another --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: davd lacks permission to listen there: choose a port above 1023 with --addr", addr)
	}
	return nil, fmt.Errorf("%s: can't listen there (%w): choose another --addr", addr, cause(err))
}

// cause returns err without the context that package net adds, such as the address.
func cause(err error) error {
	if wrapped, ok := errors.AsType[*net.OpError](err); ok {
		return wrapped.Err
	}
	return err
}

// Public reports whether other machines may be able to reach the listener.
func (l *Listener) Public() bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}

// Where returns the address at which a client finds path: a URL that works on this machine,
// or unix: and the path of the socket.
func (l *Listener) Where(secure bool, path string) string {
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return l.asked.String()
	}
	u := url.URL{Scheme: "http", Host: l.host(addr), Path: path}
	if secure {
		u.Scheme = "https"
	}
	return u.String()
}

// host returns the actual port with the host name that the operator asked for, because a
// certificate may be for that name.
func (l *Listener) host(addr *net.TCPAddr) string {
	host, _, err := net.SplitHostPort(l.asked.Address)
	switch {
	case addr.IP.IsUnspecified():
		host = "localhost"
	case err != nil || host == "":
		host = addr.IP.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
