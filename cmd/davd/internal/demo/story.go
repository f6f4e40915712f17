package demo

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/davd/davd/dav/davclient"
)

// Story shows a client with a time-out, first without and then with interim responses.
type Story struct {
	*Screen
	// Never is the URL of the root of a server that sends no interim responses, and Usual
	// that of a server that sends them.
	Never, Usual string
	// Patience is how long the client waits for the next response.
	Patience time.Duration
}

// Tell copies the tree from both servers. It ends early if ctx ends.
func (s *Story) Tell(ctx context.Context) {
	patience := fmt.Sprintf("%.0f s", s.Patience.Seconds())
	s.say("1. The problem: a client that waits %s for an answer copies %s.\n   davd sends no interim responses (--interim never).\n\n", patience, Archive)
	began := time.Now()
	_, err := s.copy(ctx, s.Never, Spare+"/never/")
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		s.say("   The copy succeeded after %s, because this machine is fast.\n\n", since(began))
	} else {
		s.say("   The client gave up after %s. The server was still copying.\n\n", since(began))
	}
	s.say("2. The same again, but davd sends interim responses:\n\n")
	began = time.Now()
	page, err := s.copy(ctx, s.Usual, Spare+"/demo/")
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.say("\n   The copy failed after %s: %v\n\n", since(began), err)
		return
	}
	s.say("\n   The copy succeeded after %s, because each 102 restarts the time-out.\n", since(began))
	s.say("\n3. The page of that copy: %s\n   What is running:       %s/.davd-operations/\n\n", page, s.Usual)
}

// copy copies the tree, with a client that waits no longer than Patience for a response. It
// returns the URL of the operation's page, if an interim response named it.
func (s *Story) copy(ctx context.Context, root, destination string) (page string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(s.Patience, cancel)
	defer silence.Stop()
	client, err := davclient.New(root)
	if err != nil {
		return "", err
	}
	client.UserAgent = "davd-demo"
	heard := davclient.WithInterim(ctx, func(i davclient.Interim) {
		silence.Reset(s.Patience)
		if at, err := url.Parse(i.Location); err == nil && i.Location != "" {
			page = client.Base.ResolveReference(at).String()
		}
	})
	_, err = client.Copy(heard, Archive+"/", destination, davclient.TransferOptions{})
	return page, err
}

func since(began time.Time) string { return fmt.Sprintf("%.1f s", time.Since(began).Seconds()) }

func (s *Screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Out, format, args...)
}

// Title prints the first lines. root is the URL of the server's root.
func (s *Screen) Title(root string) {
	s.say("davd: a tree of %d members, in memory, on slow storage, at %s/\n\n", Members, strings.TrimSuffix(root, "/"))
}
