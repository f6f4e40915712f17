package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// A clock tells the time since the start of a run. All histories of a run use the same clock.
type clock time.Time

func (c clock) now() int64 { return int64(time.Since(time.Time(c))) }

// modelOf returns a model whose state is the zero value of S at first. step reports whether in can be
// answered with out in a state, and returns the next state.
func modelOf[S, I, O any](step func(state S, in I, out O) (bool, S)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return *new(S) },
		Step: func(state, input, output any) (bool, any) {
			s, sOK := state.(S)
			in, inOK := input.(I)
			out, outOK := output.(O)
			if !sOK || !inOK || !outOK {
				panic(fmt.Sprintf("the model has no %T, %T and %T", state, input, output))
			}
			return step(s, in, out)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	}
}

// never is the time of an answer that did not come. The request may be carried out at any time.
const never = math.MaxInt64

// A history has the requests to one register or pair, with their answers.
type history struct {
	mu      sync.Mutex
	done    []porcupine.Operation
	unknown int
}

// add adds a request that was sent at call, and its answer, which came at back.
func (h *history) add(in, out any, call, back int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if back == never {
		h.unknown++
	}
	h.done = append(h.done, porcupine.Operation{Input: in, Output: out, Call: call, Return: back})
}

// forget removes the requests that no model explains, as of which says.
func (h *history) forget(which func(o porcupine.Operation, all []porcupine.Operation) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.done)
	h.done = slices.DeleteFunc(h.done, func(o porcupine.Operation) bool { return which(o, all) })
}

// size returns how many requests were sent, and how many have no answer.
func (h *history) size() (all, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.done), h.unknown
}

// longestCheck is how long the check of one history may take.
const longestCheck = time.Minute

// check returns an error if the history does not agree with the model. conclusive is false if
// the check took too long.
func (h *history) check(model porcupine.Model) (conclusive bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	result, info := porcupine.CheckOperationsVerbose(model, h.done, longestCheck)
	switch result {
	case porcupine.Ok:
		return true, nil
	case porcupine.Unknown:
		return false, nil
	}
	return true, fmt.Errorf("no order of these %d requests explains all answers:\n%s", len(h.done), h.describe(model, longest(info)))
}

// longest returns the indexes of the longest part of a history that the model explains, in order.
func longest(info porcupine.LinearizationInfo) (indexes []int) {
	for _, partition := range info.PartialLinearizations() {
		for _, part := range partition {
			if len(part) > len(indexes) {
				indexes = part
			}
		}
	}
	return indexes
}

// around is how many requests before the fault are described.
const around = 40

// describe lists the requests around the first answer that has no explanation, in the order in
// which they were sent: the time of the request, that of the answer, and both. The last
// requests of the explained part have numbers that give their order. The state is the one after
// the explained part.
func (h *history) describe(model porcupine.Model, explained []int) string {
	order := map[int]int{}
	state := model.Init()
	for i, index := range explained {
		order[index] = i + 1
		_, state = model.Step(state, h.done[index].Input, h.done[index].Output)
	}
	wrong := int64(never)
	for i, o := range h.done {
		if order[i] == 0 {
			wrong = min(wrong, o.Return)
		}
	}
	indexes := make([]int, len(h.done))
	for i := range indexes {
		indexes[i] = i
	}
	indexes = slices.DeleteFunc(indexes, func(i int) bool { return h.done[i].Call > wrong })
	slices.SortFunc(indexes, func(a, b int) int { return cmp.Compare(h.done[a].Call, h.done[b].Call) })
	var text strings.Builder
	for at, i := range indexes {
		o := h.done[i]
		if at < len(indexes)-around && o.Return != never {
			continue
		}
		back, number := "        …", "    "
		if o.Return != never {
			back = fmt.Sprintf("%9.4f", time.Duration(o.Return).Seconds())
		}
		if order[i] > 0 {
			number = fmt.Sprintf("%4d", order[i])
		}
		fmt.Fprintf(&text, "%9.4f %s %s %s\n", time.Duration(o.Call).Seconds(), back, number, model.DescribeOperation(o.Input, o.Output))
	}
	fmt.Fprintf(&text, "the state after the explained part: %+v\n", state)
	return text.String()
}
