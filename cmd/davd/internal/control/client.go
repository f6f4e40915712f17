package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// ErrNotRunning means that no davd answers at a socket.
var ErrNotRunning = errors.New("no davd is running")

// errOtherVersion means that the running davd doesn't know a command.
var errOtherVersion = errors.New("the running davd is a different version and doesn't know this command: restart it")

// Client sends commands to a running davd.
type Client struct{ http *http.Client }

// Connect returns a Client for the socket path. The error matches ErrNotRunning if the
// socket doesn't exist or was left by a dead davd.
func Connect(ctx context.Context, path string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		at, release, err := address(path)
		if err != nil {
			return nil, err
		}
		defer release()
		var d net.Dialer
		return d.DialContext(ctx, "unix", at)
	}
	conn, err := dial(ctx, "", "")
	if err != nil {
		if notRunning(err) {
			err = ErrNotRunning
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// Call runs a command with the arguments in, and stores its result in out. If the command
// fails, the error has the text that the running davd has sent.
func (c *Client) Call(ctx context.Context, name string, in, out any) error {
	arguments, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://davd/"+name, bytes.NewReader(arguments))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("the running davd doesn't answer: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("the answer of the running davd is incomplete: %w", err)
	case response.StatusCode == http.StatusNotFound:
		return errOtherVersion
	case response.StatusCode == http.StatusOK:
		return json.Unmarshal(content, out)
	}
	var failed failure
	if json.Unmarshal(content, &failed) != nil || failed.Error == "" {
		return fmt.Errorf("the running davd answered %s", response.Status)
	}
	return errors.New(failed.Error)
}
