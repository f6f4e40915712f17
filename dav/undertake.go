package dav

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/tree"
)

// plan is a COPY, MOVE or DELETE after its checks.
type plan interface {
	// Resources returns the names of the source and the destination, or "", as the client
	// sent them.
	Resources() (source, destination string)
	// changes returns the changes to claim.
	changes() []locktable.Change
	// brief reports whether do makes its change in the transaction of the claim.
	brief(ctx context.Context) bool
	// recheck repeats the checks under the claim, because their results may have changed.
	recheck() error
	// Success is the status of the answer unless do fails.
	Success() int
	// do does the work.
	do(ctx context.Context, c *claim, monitor *tree.Monitor) error
}

// undertake carries out the plan that check returns as an operation that continues even
// if the client disconnects.
func (h *Handler) undertake(w http.ResponseWriter, r *request, check func() (plan, error)) error {
	leave, err := r.enterOperation()
	if err != nil {
		return err
	}
	req := r.operationRequest(r.operationKey())
	return h.registry().Undertake(w, req, leave, func(announced *cluster.Operation) (operation.Task, error) {
		var p plan
		err := r.revealed(func() (err error) {
			p, err = check()
			return err
		})
		if err != nil {
			return nil, err
		}
		if announced != nil {
			announced.Record.Source, announced.Record.Destination = p.Resources()
			announced.Record.Status = p.Success()
		}
		c, err := r.confirm(intent{key: req.Key, announced: announced, brief: p.brief(r.Context())}, p.changes()...)
		if err != nil {
			return nil, err
		}
		if err := p.recheck(); err != nil {
			err = c.endUnused(err, announced)
			c.release()
			return nil, err
		}
		c.client = r.client()
		return &task{plan: p, claim: c, monitor: new(tree.Monitor)}, nil
	})
}

// operationRequest returns r as the Registry sees it.
func (r *request) operationRequest(key operation.Key) operation.Request {
	req := operation.Request{Request: r.Request, Key: key, Preferences: r.preferences(), Principal: r.principal()}
	// Invalid headers are refused elsewhere.
	req.Depth, _, _ = r.depthField().InListing(r.Method)
	req.Overwrite, _ = r.overwrite()
	return req
}

// task is a plan with the claim for its changes.
type task struct {
	plan
	claim   *claim
	monitor *tree.Monitor
}

// Hold implements operation.Task, like the methods below.
func (t *task) Hold() *operation.Hold { return t.claim.hold }

func (t *task) Monitor() operation.Monitor { return treeMonitor{t.monitor} }

func (t *task) Do(ctx context.Context, snapshot func() operation.Operation) error {
	defer t.claim.giveBack()
	t.claim.about = snapshot
	if t.claim.shared == nil {
		return t.do(ctx, t.claim, t.monitor)
	}
	// What has not begun to change the names ends when another node takes over.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(t.claim.shared.claim.Context(), func() { cancel(cluster.ErrFenced) })()
	ctx, err := t.claim.shared.within(ctx)
	if err != nil {
		return err
	}
	return t.do(ctx, t.claim, t.monitor)
}

// keyHeaders decide whether a request is carried out.
var keyHeaders = [...]string{"If", "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"}

// operationKey returns the key of r.
//
// Its source and destination don't have the storage's spelling, because a missing
// resource has none: the source of a MOVE whose answer was lost, for example. Keys of
// places would not do, because two resources may have the same key.
func (r *request) operationKey() operation.Key {
	source, sourceErr := r.h.name(r.Context(), r.URL.Path)
	source = r.h.viewed(r.Context(), source)
	depth, depthErr := r.depth("0", "1", "infinity")
	key := operation.Key{
		Server: r.h, Tenant: tenant.Prefix(r.Context()), Principal: r.principal(),
		Method: r.Method, Source: r.keyPlace(source, r.Method == methodCopy, sourceErr, r.URL.Path),
		Depth: keyValue(strconv.Itoa(depth), depthErr, r.Header.Get("Depth")), When: r.keyConditions(),
	}
	if key.Principal == "" && !r.h.OnePerson {
		key.Stranger = new(byte)
	}
	if r.Method != http.MethodDelete {
		destination, err := r.h.destination(r.Request)
		key.Destination = r.keyPlace(destination, false, err, r.Header.Get("Destination"))
		overwrite, err := r.overwrite()
		key.Overwrite = keyValue(strconv.FormatBool(overwrite), err, r.Header.Get("Overwrite"))
	}
	return key
}

// keyRaw is the prefix of an invalid value, which is in the key as the client sent
// it. No valid value begins with it.
const keyRaw = "!"

// keyValue returns value or, if err says that it is invalid, what the client sent.
func keyValue(value string, err error, sent string) string {
	if err != nil {
		return keyRaw + sent
	}
	return value
}

// keyPlace returns the canonical form of name for a key.
func (r *request) keyPlace(name string, follow bool, err error, sent string) string {
	var at place.Place
	if err == nil {
		at, err = r.h.names().Place(r.Context(), name, follow)
	}
	return keyValue(at.Name, err, sent)
}

// keyConditions returns the conditions of r, for operation.Key.When.
func (r *request) keyConditions() string {
	var when strings.Builder
	for i, header := range keyHeaders {
		if values := r.Header[header]; values != nil {
			// No field value contains a line feed.
			when.WriteString(string(rune('0'+i)) + strings.Join(values, "\n") + "\n\n")
		}
	}
	if r.Header["If"] != nil {
		// These decide which URIs in the header If are on this server.
		_, asked := r.h.self().Of(r.Request)
		when.WriteString(r.Host + "\n" + asked + "\n" + strings.Join(r.Header["X-Forwarded-Host"], "\n"))
	}
	return when.String()
}
