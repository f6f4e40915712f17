package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// serveProppatch sets and removes properties of the resource, all or none (RFC
// 4918 §9.2).
func (h *Handler) serveProppatch(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	if _, err := h.stat(r.Context(), name); err != nil {
		return statusOf(err), err
	}
	patches, err := h.readProppatch(w, r)
	if err != nil {
		return statusOf(err), err
	}
	claim, err := h.confirm(r, change{name: name})
	if err != nil {
		return statusOf(err), err
	}
	defer claim.release()
	// It may have changed before it was claimed.
	info, err := h.stat(r.Context(), name)
	if err == nil {
		err = preconditions(r, info)
	}
	if err != nil {
		return statusOf(err), err
	}
	p := planPatch(patches)
	if !p.refused {
		err = h.applyPatch(r.Context(), name, info, p)
		if err != nil && !p.refused {
			return statusOf(err), err
		}
	}
	if field := minimal(r); field != "" && !p.refused {
		// RFC 8144 §2.2; with Brief a 200 is expected, and nothing in it.
		setMinimal(w.Header(), field)
		if field == "Brief" {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusOK)
			return 0, nil
		}
		return http.StatusNoContent, nil
	}
	return 0, errors.Join(err, h.respondPatch(w, name, info.IsDir(), p))
}

// patch is what becomes of a PROPPATCH.
type patch struct {
	outcomes []patchOutcome // of each property, once
	refused  bool           // one of them is: nothing is done
	dead     []webdav.Proppatch
	modified time.Time // zero: to be left as it is
	times    []timeProp
}

// patchOutcome is what becomes of one property.
type patchOutcome struct {
	name      xml.Name
	status    int // 0: done, or not because of another
	condition string
}

// planPatch sorts out what patches ask for (RFC 4918 §9.2: in document order).
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

// plan sorts out one property, and reports whether it is to be changed as a dead
// one.
func (p *patch) plan(outcome *patchOutcome, property webdav.Property, remove bool) (keep bool) {
	name := property.XMLName
	i := slices.IndexFunc(timeProps, func(t timeProp) bool { return t.name == name })
	switch {
	case i < 0 && protected(name), i >= 0 && remove && !timeProps[i].dead:
		p.refuse(outcome, http.StatusForbidden, conditionProtected)
		return false
	case i < 0 || remove:
		return true
	}
	modified, ok := parseTime(property.InnerXML)
	if !ok {
		p.refuse(outcome, http.StatusConflict, "")
		return false
	}
	p.modified = modified
	p.times = append(p.times, timeProps[i])
	return timeProps[i].dead
}

// conditionProtected is the precondition code of RFC 4918 §16.
const conditionProtected = "cannot-modify-protected-property"

func (p *patch) refuse(outcome *patchOutcome, status int, condition string) {
	p.refused = true
	if outcome.status == 0 {
		outcome.status, outcome.condition = status, condition
	}
}

// applyPatch does what p asks for: first what can be taken back, then what is
// done as a whole or not at all.
func (h *Handler) applyPatch(ctx context.Context, name string, info fs.FileInfo, p *patch) error {
	timed := false
	if !p.modified.IsZero() {
		err := storage.SetTimes(ctx, h.FileSystem, name, p.modified)
		if errors.Is(err, errors.ErrUnsupported) {
			p.refuseTimes()
			if p.refused {
				return nil
			}
		} else if err != nil {
			return err
		}
		timed = err == nil
	}
	if len(p.dead) == 0 {
		return nil
	}
	err := h.properties().Patch(ctx, name, p.dead)
	if err != nil && timed {
		err = errors.Join(err, storage.SetTimes(context.WithoutCancel(ctx), h.FileSystem, name, info.ModTime()))
	}
	return err
}

// refuseTimes is for a storage that can't set times: then a property that is
// nothing else is protected.
func (p *patch) refuseTimes() {
	for i := range p.outcomes {
		for _, t := range p.times {
			if t.name == p.outcomes[i].name && !t.dead {
				p.refuse(&p.outcomes[i], http.StatusForbidden, conditionProtected)
			}
		}
	}
}

// respondPatch writes the multi-status: all are 200 or, where one is refused,
// those that are not are 424 (RFC 4918 §9.2.1, §11.4).
func (h *Handler) respondPatch(w http.ResponseWriter, name string, collection bool, p *patch) error {
	others := http.StatusOK
	if p.refused {
		others = http.StatusFailedDependency
	}
	body, err := newMultistatus(w)
	if err != nil {
		return err
	}
	body.open(h.prefix(), name, collection)
	for _, group := range []patchOutcome{
		{status: http.StatusForbidden, condition: conditionProtected},
		{status: http.StatusConflict},
		{status: others},
	} {
		begun := false
		for _, outcome := range p.outcomes {
			if outcome.status == 0 {
				outcome.status = others
			}
			if outcome.status != group.status {
				continue
			}
			if !begun {
				begun = true
				body.openPropstat()
			}
			body.property(webdav.Property{XMLName: outcome.name})
		}
		if begun {
			body.closePropstat(group.status, group.condition)
		}
	}
	if err := body.end(); err != nil {
		return err
	}
	return body.close("")
}
