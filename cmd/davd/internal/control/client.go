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

// ErrNotRunning is returned when no davd answers at a socket.
var ErrNotRunning = errors.New("no davd is running")

// errOtherVersion is for a command that the davd which is running doesn't know.
var errOtherVersion = errors.New("the running davd is of another version and doesn't know this command: restart it")

// Client sends commands to a davd that is running.
type Client struct{ http *http.Client }

// Connect returns a Client for the socket path, or an error that matches
// ErrNotRunning: the socket doesn't exist, or a dead davd has left it.
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

// Call runs a command with the arguments in and stores its result in out. An error of
// the command has the text that the running davd gave to it.
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
		return fmt.Errorf("the running davd has not answered in full: %w", err)
	case response.StatusCode == http.StatusNotFound:
		return errOtherVersion
	case response.StatusCode == http.StatusOK:
		return json.Unmarshal(content, out)
	}
	var failed failure
	if json.Unmarshal(content, &failed) != nil || failed.Error == "" {
		return fmt.Errorf("the running davd has answered %s", response.Status)
	}
	return errors.New(failed.Error)
}
