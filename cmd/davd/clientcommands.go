package main

import (
	"net/url"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
)

// clientCommands returns the client commands, in the order of the overview.
func clientCommands() []clientCommand {
	return []clientCommand{
		{name: "ls", arguments: "URL", run: runList, flags: []cli.Flag{longFlag()}, about: `
Lists a collection, or a file.
`},
		{name: "tree", arguments: "URL", run: runTree, flags: []cli.Flag{longFlag(), levelFlag()}, about: `
Lists a collection and everything in it.
`},
		{name: "get", arguments: "URL [DST]", run: runGet, flags: []cli.Flag{recursiveFlag("get a collection with everything in it"), forceFlag()}, about: `
Gets a file from the server. DST is the new local name or, if it ends with a
slash, the directory to put the file into. The default is the current directory.
If DST is "-", the file goes to standard output. A file appears only once it is
complete, and it keeps its modification time.
`},
		{name: "put", arguments: "SRC URL", run: runPut, flags: []cli.Flag{recursiveFlag("put a directory with everything in it; symbolic links are not followed"), forceFlag()}, about: `
Puts a file onto the server. URL is the new name or, if it ends with a slash,
the collection to put the file into. If SRC is "-", the content comes from
standard input.
`},
		{name: "cp", arguments: "SRC DST", run: runCopy, flags: []cli.Flag{recursiveFlag("no effect, for compatibility with cp: a collection is always copied with everything in it"), forceFlag()}, about: `
Copies a file, or a collection with everything in it, on the server. SRC is a
URL. DST is a URL on the same server, or just its path. DST is the new name or,
if it ends with a slash, the collection to copy into.

  davd cp https://files.example/photos/ /backup/2026
`},
		{name: "mv", arguments: "SRC DST", run: runMove, flags: []cli.Flag{forceFlag()}, about: `
Moves or renames a file, or a collection with everything in it, on the server.
SRC is a URL. DST is a URL on the same server, or just its path. DST is the new
name or, if it ends with a slash, the collection to move into.
`},
		{name: "rm", arguments: "URL", run: runRemove, flags: []cli.Flag{recursiveFlag("remove a collection with everything in it")}, about: `
Removes a file or, with -r, a collection.
`},
		{name: "mkdir", arguments: "URL", run: runMkdir, about: `
Creates a collection (a directory on the server).
`},
		{name: "probe", arguments: "URL", run: runProbe, flags: probeFlags(), about: probeAbout},
	}
}

// session parses a command's first URL and prepares a session with its server.
func session(p *program, c *cli.Context, arg string) (*client.Session, *url.URL, error) {
	ref, err := parseURL(arg)
	if err != nil {
		return nil, nil, err
	}
	s, err := p.connect(c, ref)
	return s, ref, err
}

func runList(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	return s.List(c.Context, ref, c.Bool("long"))
}

func runTree(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	return s.Tree(c.Context, ref, client.TreeOptions{Depth: c.Int("level"), Long: c.Bool("long")})
}

func fetchOptions(c *cli.Context) client.FetchOptions {
	return client.FetchOptions{Recursive: c.Bool("recursive"), Force: c.Bool("force")}
}

func runGet(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	dst := ""
	if len(args) > 1 {
		dst = args[1]
	}
	return s.Get(c.Context, ref, dst, fetchOptions(c))
}

func runPut(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[1])
	if err != nil {
		return err
	}
	return s.Put(c.Context, os.Stdin, args[0], ref, fetchOptions(c))
}

func runCopy(p *program, c *cli.Context, args []string) error {
	return runTransfer(p, c, args, (*client.Session).Copy)
}

func runMove(p *program, c *cli.Context, args []string) error {
	return runTransfer(p, c, args, (*client.Session).Move)
}

func runRemove(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	return s.Remove(c.Context, ref, c.Bool("recursive"))
}

func runMkdir(p *program, c *cli.Context, args []string) error {
	s, ref, err := session(p, c, args[0])
	if err != nil {
		return err
	}
	return s.Mkdir(c.Context, ref)
}
