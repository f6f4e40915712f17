package dav

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/deadprops"
)

// proppatch sets and removes properties of the resource. It carries out all
// instructions or none (RFC 4918 §9.2).
func (h *Handler) proppatch(w http.ResponseWriter, r *request) error {
	info, err := h.names().Stat(r.Context(), r.name)
	if err != nil {
		return err
	}
	patches, err := readXML(w, r, davxml.ParseProppatch)
	if err != nil {
		return err
	}
	at, err := h.names().PlaceAt(r.Context(), r.name, info)
	if err != nil {
		return err
	}
	claim, err := r.confirm(intent{brief: h.transacts(r.Context(), at)}, locktable.Change{Place: at})
	if err != nil {
		return err
	}
	defer claim.release()
	// The resource may have changed before the claim.
	info, err = h.names().Look(r.Context(), at, true)
	if err == nil {
		err = preconditions(r, info)
	}
	if err != nil {
		return claim.end(err)
	}
	p := planPatch(patches)
	if !p.refused {
		err = p.apply(r.withBudget(r.Context()), h, at, info)
	}
	if p.refused || err != nil {
		claim.shared.undo()
	}
	// A refused property doesn't make the request fail, and err only goes to the log.
	if ended := claim.end(nil); ended != nil || err != nil && !p.refused {
		return errors.Join(ended, err)
	}
	if minimal := r.preferences().Minimal; minimal != "" && !p.refused {
		// RFC 8144 §2.2. A client that sends Brief expects a 200 without content.
		field.SetMinimal(w.Header(), minimal)
		if minimal == "Brief" {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusOK)
			return nil
		}
		return succeed(w, http.StatusNoContent)
	}
	if info.IsDir() {
		r.setContentLocation(w.Header(), r.name)
	}
	return status.Logged(errors.Join(err, p.respond(w, h.prefix(r.Context()), h.shown(r.Context(), r.name), info.IsDir())))
}

// patch is a PROPPATCH with its outcome.
type patch struct {
	outcomes []patchOutcome // one for each property
	refused  bool           // at least one property is refused, so nothing is changed
	dead     []webdav.Proppatch
	modified time.Time // the new modification time; zero to keep it
	times    []timeProp
}

// patchOutcome is the outcome for one property.
type patchOutcome struct {
	name xml.Name
	why  *status.Error // why it is refused; nil if only the others decide its outcome
}

// planPatch plans the changes that patches ask for, in document order (RFC 4918 §9.2).
func planPatch(patches []webdav.Proppatch) *patch {
	p := &patch{}
	known := make(map[xml.Name]int)
	for _, instruction := range patches {
		dead := webdav.Proppatch{Remove: instruction.Remove}
		for _, property := range instruction.Props {
			i, twice := known[property.XMLName]
			if !twice {
				i = len(p.outcomes)
				known[property.XMLName] = i
				p.outcomes = append(p.outcomes, patchOutcome{name: property.XMLName})
			}
			keep := p.plan(&p.outcomes[i], property, instruction.Remove)
			if keep {
				dead.Props = append(dead.Props, property)
			}
		}
		if len(dead.Props) > 0 {
			p.dead = append(p.dead, dead)
		}
	}
	return p
}

// plan plans the change of one property. It reports whether the property must be
// changed in the store of dead properties.
func (p *patch) plan(outcome *patchOutcome, property webdav.Property, remove bool) (keep bool) {
	name := property.XMLName
	i := slices.IndexFunc(timeProps, func(t timeProp) bool { return t.name == name })
	switch {
	case i < 0 && listing.Protected(name), i >= 0 && remove && !timeProps[i].dead:
		p.refuse(outcome, errProtected)
		return false
	case i < 0 || remove:
		return true
	}
	modified, ok := parseTime(property.InnerXML)
	if !ok {
		p.refuse(outcome, errNoTime)
		return false
	}
	p.modified = modified
	p.times = append(p.times, timeProps[i])
	return timeProps[i].dead
}

// Why a property is refused.
var (
	// errProtected has the precondition code of RFC 4918 §16.
	errProtected = &status.Error{Status: http.StatusForbidden, Condition: "cannot-modify-protected-property"}
	errNoTime    = status.New(http.StatusConflict, "the value must be a time: an HTTP date, an RFC 3339 date or seconds since 1970")
)

// refuse refuses a property unless it is refused already.
func (p *patch) refuse(outcome *patchOutcome, why *status.Error) {
	p.refused = true
	outcome.why = cmp.Or(outcome.why, why)
}

// apply makes the changes: first the time, which can be undone, then the dead
// properties, which the store changes all or not at all.
func (p *patch) apply(ctx context.Context, h *Handler, at place.Place, info fs.FileInfo) error {
	name := at.Name
	timed := false
	if !p.modified.IsZero() {
		err := setTime(ctx, h.names(), name, info, p.modified)
		switch {
		case errors.Is(err, errTimeNotKept):
			p.refuseTimes(errTimeNotKept, func(timeProp) bool { return true })
		case errors.Is(err, errors.ErrUnsupported):
			// A property that is not also dead counts as protected.
			p.refuseTimes(errProtected, func(t timeProp) bool { return !t.dead })
		case err != nil:
			return err
		}
		if p.refused {
			return nil
		}
		timed = err == nil
	}
	if len(p.dead) == 0 {
		return nil
	}
	err := h.properties(ctx).Patch(ctx, at.Key, p.dead)
	if err != nil && timed {
		err = errors.Join(err, resetTime(ctx, h.FileSystem, name, info))
	}
	if limit, ok := errors.AsType[*deadprops.LimitError](err); ok {
		p.refuseSets(limit)
	}
	return err
}

// refuseTimes refuses the properties that set the time and that selected selects.
func (p *patch) refuseTimes(why *status.Error, selected func(timeProp) bool) {
	for i := range p.outcomes {
		for _, t := range p.times {
			if t.name == p.outcomes[i].name && selected(t) {
				p.refuse(&p.outcomes[i], why)
			}
		}
	}
}

// respond writes the multi-status. If a property is refused, the others have the
// status 424; otherwise all have 200 (RFC 4918 §9.2.1, §11.4). Properties that are refused for
// the same reason share a propstat. The propstat with 200 or 424 comes last.
func (p *patch) respond(w http.ResponseWriter, prefix, name string, collection bool) error {
	others := &status.Error{Status: http.StatusOK}
	if p.refused {
		others.Status = http.StatusFailedDependency
	}
	groups := make(map[*status.Error][]xml.Name)
	for _, outcome := range p.outcomes {
		why := cmp.Or(outcome.why, others)
		groups[why] = append(groups[why], outcome.name)
	}
	body, err := davxml.NewMultistatus(w)
	if err != nil {
		return err
	}
	body.Open(prefix, name, collection)
	for _, why := range slices.SortedFunc(maps.Keys(groups), func(a, b *status.Error) int {
		switch others {
		case a:
			return 1
		case b:
			return -1
		}
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	}) {
		body.OpenPropstat()
		for _, name := range groups[why] {
			body.Property(webdav.Property{XMLName: name})
		}
		body.ClosePropstatOf(why)
	}
	if err := body.End(); err != nil {
		return err
	}
	return body.Close("")
}
