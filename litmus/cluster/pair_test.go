package cluster

import (
	"net/http"

	"github.com/anishathalye/porcupine"
)

// A side is one of the two collections of a pair.
type side int

const (
	left side = iota
	right
)

func (s side) other() side { return 1 - s }

func (s side) String() string { return [...]string{"left", "right"}[s] }

// A pairState has the version of the tree on each side; "" if it does not exist. All members of a
// tree contain its version.
type pairState [2]string

// The requests to a pair.
const (
	copyTree    = "COPY"
	moveTree    = "MOVE"
	removeTree  = "DELETE"
	installTree = "MOVE of a new tree"
	readMember  = "GET of a member"
	listTree    = "PROPFIND"
)

// A pairInput is a request to a pair. It may have been repeated until there was an answer.
type pairInput struct {
	kind string
	// to is the destination of COPY and MOVE, from the other side. For other requests, it is
	// the side that is changed or read.
	to       side
	version  string // of a new tree
	keep     bool   // Overwrite: F
	repeated bool
}

// A pairOutput is the answer.
type pairOutput struct {
	status  int // 0 if the result is unknown
	version string
}

// pairModel is the model of a pair.
func pairModel() porcupine.Model { return modelOf(stepPair) }

// stepPair reports whether a pair in state s can answer in with out, and returns its new state.
func stepPair(s pairState, in pairInput, out pairOutput) (bool, pairState) {
	switch in.kind {
	case readMember:
		return out.version == s[in.to], s
	case listTree:
		return (out.status == http.StatusNotFound) == (s[in.to] == ""), s
	}
	missing := in.kind == removeTree && s[in.to] == "" ||
		(in.kind == copyTree || in.kind == moveTree) && s[in.to.other()] == ""
	kept := in.keep && s[in.to] != ""
	switch {
	case out.status == 0 && (missing || kept):
		return true, s
	case out.status == http.StatusNotFound:
		return missing, s
	case out.status == http.StatusPreconditionFailed:
		return kept, s
	case missing || kept:
		return false, s
	}
	success := http.StatusNoContent
	if s[in.to] == "" {
		success = http.StatusCreated
	}
	ok := out.status == success || out.status == 0 ||
		in.repeated && (out.status == http.StatusCreated || out.status == http.StatusNoContent)
	switch in.kind {
	case removeTree:
		s[in.to] = ""
	case installTree:
		s[in.to] = in.version
	case copyTree:
		s[in.to] = s[in.to.other()]
	case moveTree:
		s[in.to], s[in.to.other()] = s[in.to.other()], ""
	}
	return ok, s
}
