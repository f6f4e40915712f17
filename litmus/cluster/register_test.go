package cluster

import (
	"net/http"
	"slices"

	"github.com/anishathalye/porcupine"
)

// A register is a file with a dead property and a lock. registerState is what it holds. The zero
// value says that it does not exist.
type registerState struct {
	exists bool
	body   string // the word that its content repeats; "" if it is empty
	prop   string
	lock   string // the owner of the lock, which is unique; "" without one
}

// The requests to a register.
const (
	put        = "PUT"
	get        = "GET"
	remove     = "DELETE"
	acquire    = "LOCK"
	release    = "UNLOCK"
	setProp    = "PROPPATCH"
	readProp   = "PROPFIND of the property"
	readHolder = "PROPFIND of the lock"

	// Files and locks are not in the same store. A DELETE first removes the file and then its
	// lock, and a LOCK first creates the file. Both are done before the answer, and claims keep
	// other changes away meanwhile.
	dropLock = "DELETE, of the lock"
	create   = "LOCK, of the file"
)

// A registerInput is a request to a register.
type registerInput struct {
	kind  string
	value string // the new body or property
	// ifBody says that the request has the entity tag of this body in If-Match.
	ifBody string
	ifNone bool // If-None-Match: *
	// owner is the owner of the lock that a LOCK asks for. In other requests, it is the
	// owner of the lock whose token is submitted, or "".
	owner string
}

// A registerOutput is the answer to a request.
type registerOutput struct {
	status int // 0 if the result is unknown
	value  string
	says   string // the reason of a refusal, for people
}

// registerModel is the model of one register. In two cases, it permits what no order explains:
//
//   - A DELETE may get the answer of an identical one that was sent before, although the register
//     does not exist any more.
//   - A change with a lock token may succeed after an UNLOCK, which does not wait for the change.
func registerModel() porcupine.Model { return modelOf(stepRegister) }

// steps returns what a request does, one after the other, and the answer to each step.
func (in registerInput) steps(out registerOutput) (steps []registerInput, outs []registerOutput) {
	switch {
	case in.kind == remove && (out.status == http.StatusNoContent || out.status == 0):
		return []registerInput{in, {kind: dropLock, owner: in.owner}}, []registerOutput{out, out}
	case in.kind == acquire && (out.status == http.StatusCreated || out.status == 0):
		if out.status == http.StatusCreated {
			out.status = http.StatusOK
		}
		return []registerInput{{kind: create}, in}, []registerOutput{out, out}
	}
	return []registerInput{in}, []registerOutput{out}
}

// addRequest adds a request, and its answer.
func (h *history) addRequest(in registerInput, out registerOutput, call, back int64) {
	steps, outs := in.steps(out)
	for i := range steps {
		h.add(steps[i], outs[i], call, back)
	}
}

// stepRegister reports whether a register in state s can answer in with out, and returns its new
// state.
func stepRegister(s registerState, in registerInput, out registerOutput) (bool, registerState) {
	switch in.kind {
	case get:
		return s.reads(out, http.StatusOK, s.body), s
	case readProp:
		return s.reads(out, http.StatusMultiStatus, s.prop), s
	case readHolder:
		return s.reads(out, http.StatusMultiStatus, s.lock), s
	}
	refusals := s.refusals(in)
	after, success := s.after(in)
	switch {
	case in.kind == dropLock && out.status != 0:
		return !s.exists || s.lock == "" || s.lock != in.owner, after
	case in.kind == create && out.status != 0:
		return !s.exists, after
	case in.kind == acquire && out.status == http.StatusOK && !s.exists:
		return false, s
	case out.status == 0 && len(refusals) > 0:
		return true, s
	case out.status == 0:
		return true, after
	case slices.Contains(refusals, out.status):
		return true, s
	case in.owner != "" && s.lock == "" && out.status == http.StatusPreconditionFailed:
		return true, s
	case in.kind == remove && !s.exists && out.status == http.StatusNoContent:
		return true, s
	case in.kind == put && s.exists && s.body == "" && in.owner != "" && out.status == http.StatusCreated:
		success = http.StatusCreated // A LOCK has made the empty file for this PUT.
	}
	return len(refusals) == 0 && out.status == success, after
}

func (s registerState) reads(out registerOutput, success int, value string) bool {
	if !s.exists {
		return out.status == http.StatusNotFound
	}
	return out.status == success && out.value == value
}

// refusals returns the statuses with which in may be refused. Without any, it must succeed.
func (s registerState) refusals(in registerInput) (statuses []int) {
	if !s.exists && (in.kind == remove || in.kind == setProp) {
		statuses = append(statuses, http.StatusNotFound)
	}
	if in.ifNone && s.exists || in.ifBody != "" && (!s.exists || s.body != in.ifBody) {
		statuses = append(statuses, http.StatusPreconditionFailed)
	}
	switch {
	case in.kind == dropLock || in.kind == create:
		return nil
	case in.kind == acquire && s.lock != "":
		return append(statuses, http.StatusLocked)
	case in.kind == acquire:
		return statuses
	case in.kind == release && s.lock != in.owner:
		return append(statuses, http.StatusConflict, http.StatusNotFound)
	case s.lock != "" && s.lock != in.owner:
		// With another token, the header If is false as well.
		return append(statuses, http.StatusLocked, http.StatusPreconditionFailed)
	}
	return statuses
}

// after returns the state and the status after in has succeeded.
func (s registerState) after(in registerInput) (after registerState, status int) {
	created := http.StatusCreated
	if s.exists {
		created = http.StatusNoContent
	}
	switch in.kind {
	case put:
		s.exists, s.body = true, in.value
		return s, created
	case remove:
		return registerState{lock: s.lock}, http.StatusNoContent
	case dropLock:
		if !s.exists && s.lock == in.owner {
			s.lock = ""
		}
		return s, 0
	case create:
		s.exists = true
		return s, 0
	case acquire:
		if s.exists {
			s.lock = in.owner
		}
		return s, http.StatusOK
	case release:
		s.lock = ""
		return s, http.StatusNoContent
	case setProp:
		s.prop = in.value
		return s, http.StatusMultiStatus
	}
	panic("unknown request " + in.kind)
}
