package cluster

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// A told is a request, its answer, and the times of both.
type told struct {
	in, out    any
	call, back int64
}

// Times make the requests of a table follow each other.
func inOrder(all ...told) []told {
	for i := range all {
		all[i].call, all[i].back = int64(2*i), int64(2*i+1)
	}
	return all
}

func checkTold(t *testing.T, model porcupine.Model, want bool, all []told) {
	t.Helper()
	var h history
	for _, one := range all {
		in, isRegister := one.in.(registerInput)
		out, _ := one.out.(registerOutput)
		if isRegister {
			h.addRequest(in, out, one.call, one.back)
		} else {
			h.add(one.in, one.out, one.call, one.back)
		}
	}
	conclusive, err := h.check(model)
	if !conclusive {
		t.Fatal("the check took too long")
	}
	if (err == nil) != want {
		t.Errorf("the history is possible: %t, want %t: %v", err == nil, want, err)
	}
}

// TestRegisterModel checks that the model of a register finds each kind of fault.
func TestRegisterModel(t *testing.T) {
	t.Parallel()
	request := func(kind, value, owner string, status int, result string) told {
		return told{in: registerInput{kind: kind, value: value, owner: owner}, out: registerOutput{status: status, value: result}}
	}
	lost := request(put, "b", "", 0, "")
	lost.call, lost.back = 0, never
	later := func(t told, call int64) told { t.call, t.back = call, call+1; return t }
	for _, test := range []struct {
		name string
		want bool
		all  []told
	}{
		{"a file", true, inOrder(request(get, "", "", 404, ""), request(put, "a", "", 201, ""), request(get, "", "", 200, "a"))},
		{"a stale read", false, inOrder(request(put, "a", "", 201, ""), request(put, "b", "", 204, ""), request(get, "", "", 200, "a"))},
		{"a lost write", false, inOrder(request(put, "a", "", 201, ""), request(get, "", "", 404, ""))},
		{"a file that comes back", false, inOrder(request(put, "a", "", 201, ""), request(remove, "", "", 204, ""), request(get, "", "", 200, "a"))},
		{"created twice", false, inOrder(request(put, "a", "", 201, ""), request(put, "b", "", 201, ""))},
		{"If-Match of an old body", false, inOrder(request(put, "a", "", 201, ""), request(put, "b", "", 204, ""),
			told{in: registerInput{kind: put, value: "c", ifBody: "a"}, out: registerOutput{status: 204}})},
		{"If-None-Match refused without a file", false, inOrder(told{in: registerInput{kind: put, value: "a", ifNone: true}, out: registerOutput{status: 412}})},
		{"a change without the token", false, inOrder(request(acquire, "", "o", 201, ""), request(put, "a", "", 204, ""))},
		{"a change with the token", true, inOrder(request(acquire, "", "o", 201, ""), request(put, "a", "o", 204, ""), request(readHolder, "", "", 207, "o"))},
		{"two locks", false, inOrder(request(acquire, "", "o", 201, ""), request(acquire, "", "p", 200, ""))},
		{"a lock that outlives its file", false, inOrder(request(acquire, "", "o", 201, ""), request(remove, "", "o", 204, ""), request(put, "a", "", 423, ""))},
		{"a locked file without its lock", false, inOrder(request(acquire, "", "o", 201, ""), request(readHolder, "", "", 207, ""))},
		{"a lost lock", false, inOrder(request(acquire, "", "o", 201, ""), request(release, "", "o", 409, ""))},
		{"a refusal without a lock", false, inOrder(request(put, "a", "", 201, ""), request(put, "b", "", 423, ""))},
		{"a property of a removed file", false, inOrder(request(put, "a", "", 201, ""), request(setProp, "x", "", 207, ""),
			request(remove, "", "", 204, ""), request(put, "b", "", 201, ""), request(readProp, "", "", 207, "x"))},
		{"an unanswered PUT happens later", true, []told{lost, later(request(get, "", "", 404, ""), 2), later(request(get, "", "", 200, "b"), 4)}},
		{"an unanswered PUT never happens", true, []told{lost, later(request(get, "", "", 404, ""), 2)}},
		{"an unanswered PUT happens twice", false, []told{
			lost, later(request(get, "", "", 200, "b"), 2), later(request(remove, "", "", 204, ""), 4), later(request(get, "", "", 200, "b"), 6),
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkTold(t, registerModel(), test.want, test.all)
		})
	}
}

// TestPairModel checks that the model of a pair finds each kind of fault.
func TestPairModel(t *testing.T) {
	t.Parallel()
	change := func(kind string, to side, version string, status int) told {
		return told{in: pairInput{kind: kind, to: to, version: version}, out: pairOutput{status: status}}
	}
	read := func(from side, version string) told {
		return told{in: pairInput{kind: readMember, to: from}, out: pairOutput{200, version}}
	}
	install := change(installTree, left, "v1", 201)
	for _, test := range []struct {
		name string
		want bool
		all  []told
	}{
		{"a copy", true, inOrder(install, change(copyTree, right, "", 201), read(left, "v1"), read(right, "v1"))},
		{"half a copy", false, inOrder(install, change(copyTree, right, "", 201), read(right, "v1"), read(right, ""))},
		{"a move", true, inOrder(install, change(moveTree, right, "", 201), read(left, ""), read(right, "v1"))},
		{"a move that leaves a member", false, inOrder(install, change(moveTree, right, "", 201), read(left, "v1"))},
		{"two trees mixed", false, inOrder(install, change(copyTree, right, "", 201), change(installTree, left, "v2", 204), read(left, "v2"), read(left, "v1"))},
		{"a tree that comes back", false, inOrder(install, change(removeTree, left, "", 204), read(left, "v1"))},
		{"a refused copy that changed something", false, inOrder(install, change(copyTree, left, "", 404), read(left, ""))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkTold(t, pairModel(), test.want, test.all)
		})
	}
}
