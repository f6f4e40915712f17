package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// options are the values of the flags.
type options struct {
	run     *regexp.Regexp // matches the names of works
	servers *regexp.Regexp
	rounds  int
	quick   bool
	dir     string
	install bool
	list    bool
	sandbox string // the mount point, in the process that sandbox starts
}

// This program also runs itself as a server, with these arguments, and in a sandbox, with this
// flag.
const (
	asXNet  = "serve-xnet"  // DIR ADDR
	asEmpty = "serve-empty" // ADDR

	sandboxFlag = "sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	read := defineFlags(flag.CommandLine)
	flag.Parse()
	err := dispatch(ctx, read, flag.Args())
	stop()
	switch status := (*statusError)(nil); {
	case err == nil:
	case errors.As(err, &status): // the process in the sandbox has printed the error
		os.Exit(status.code)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// statusError is the exit status of a process that has printed its own error.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("ended with status %d", e.code) }

// dispatch runs the part of the program that the arguments or flags select.
func dispatch(ctx context.Context, read func() (*options, error), args []string) error {
	switch {
	case len(args) == 3 && args[0] == asXNet:
		return serveXNet(ctx, args[1], args[2])
	case len(args) == 2 && args[0] == asEmpty:
		return serveEmpty(ctx, args[1])
	case len(args) > 0:
		return fmt.Errorf("%s: this program only takes flags: see -help", args[0])
	}
	o, err := read()
	if err != nil {
		return err
	}
	if o.sandbox != "" {
		return benchInSandbox(ctx, o, o.sandbox)
	}
	return bench(ctx, o)
}

// defineFlags defines the flags. It returns a function that reads them after parsing.
func defineFlags(flags *flag.FlagSet) func() (*options, error) {
	o := &options{}
	works := flags.String("run", "", "run only works whose name matches this `regexp` (default all)")
	servers := flags.String("servers", "", "run only servers whose name matches this `regexp` (default all but rclone and the reverse proxies); davd always runs")
	flags.IntVar(&o.rounds, "rounds", 0, "how `often` each server does each work (default 5, or 3 with -quick)")
	flags.BoolVar(&o.quick, "quick", false, "run fewer works in fewer rounds, which takes about 3 minutes")
	flags.StringVar(&o.dir, "dir", "", "measure in a new directory in this `DIR` (default: on a loop device, which needs root)")
	flags.BoolVar(&o.install, "install", false, "install missing packages with apt-get, which needs root")
	flags.BoolVar(&o.list, "list", false, "print the names of works and servers, and exit")
	flags.StringVar(&o.sandbox, sandboxFlag, "", "internal: this process is the first one in its namespaces, and mounts at `DIR`")
	return func() (_ *options, err error) {
		switch {
		case o.rounds < 0:
			return nil, fmt.Errorf("-rounds %d: write a number above 0", o.rounds)
		case o.rounds == 0 && o.quick:
			o.rounds = 3
		case o.rounds == 0:
			o.rounds = 5
		}
		if o.run, err = regexp.Compile(*works); err != nil {
			return nil, fmt.Errorf("-run: %w", err)
		}
		if o.servers, err = regexp.Compile(*servers); err != nil {
			return nil, fmt.Errorf("-servers: %w", err)
		}
		return o, nil
	}
}

// bench creates the place and measures there.
func bench(ctx context.Context, o *options) error {
	if o.list {
		return list(os.Stdout, o)
	}
	if len(o.works()) == 0 {
		return fmt.Errorf("-run %s: matches no work: see -list", o.run)
	}
	if err := needPackages(ctx, o); err != nil {
		return err
	}
	if o.dir == "" {
		return sandbox(ctx, o)
	}
	p, err := newPlace(o.dir)
	if err != nil {
		return fmt.Errorf("-dir %w", err)
	}
	return errors.Join(measure(ctx, o, p), p.remove())
}

func list(w io.Writer, o *options) error {
	for _, work := range o.works() {
		fmt.Fprintln(w, "work:  ", work.name)
	}
	for _, peer := range o.peers() {
		fmt.Fprintln(w, "server:", peer.name)
	}
	return nil
}

// works returns the selected works.
func (o *options) works() []*work {
	var chosen []*work
	for _, w := range allWorks() {
		if o.run.MatchString(w.name) && (!o.quick || !w.long) {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

// peers returns the selected peers.
func (o *options) peers() []*peer {
	var chosen []*peer
	for _, p := range allPeers() {
		named := o.servers.MatchString(p.name) && (!p.extra || o.servers.String() != "")
		if named || p.name == davdName {
			chosen = append(chosen, p)
		}
	}
	return chosen
}
