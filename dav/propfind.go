package dav

import (
	"context"
	"io/fs"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// propfind answers with the properties of the resource and, depending on Depth, of its
// members (RFC 4918 §9.1). It stops if the client disconnects.
func (h *Handler) propfind(w http.ResponseWriter, r *request) error {
	depth, noRoot, err := r.depthField().InListing(r.Method)
	if err != nil {
		return err
	}
	query, err := readXML(w, r, h.kept().propfinds.Parse)
	if err != nil {
		return err
	}
	var info fs.FileInfo
	err = r.revealed(func() (err error) {
		info, err = h.names().Stat(r.Context(), r.name)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.conditions(info); err != nil {
		return err
	}
	if info.IsDir() {
		if depth != 0 {
			if err := h.allowed(r.Context(), r.name, storage.RightList, false); err != nil {
				return err
			}
		}
		r.setContentLocation(w.Header(), r.name)
		leave, err := r.enterListing(depth)
		if err != nil {
			return err
		}
		defer leave()
	}
	p, err := h.listerOf(r).Open(r.Context(), listing.Request{
		Name: r.name, Info: info, Depth: depth, NoRoot: noRoot, NoQuota: h.withoutQuota(r.Request), Minimal: r.preferences().Minimal, Query: query, Others: h.otherTrees(r),
	})
	if err != nil {
		return err
	}
	defer p.Close()
	if r.isOne(info, depth) {
		if done, err := p.One(w, func() { h.Interim.AtOnce(r.Request) }); done {
			return status.Logged(err)
		}
	}
	monitor := new(tree.Monitor)
	about := operation.Listing{Source: r.name, Watch: treeMonitor{monitor}, Status: http.StatusMultiStatus}
	emission := h.emission(r.Request, r.Method, r.name)
	return h.registry().Follow(w, r.operationRequest(operation.Key{}), emission, about, func(ctx context.Context, x *operation.Exchange) error {
		return p.Write(ctx, x.Response, tree.Walk{Limit: h.Listings.Infinity, Shown: true, Workers: h.workers(), Monitor: monitor})
	})
}

// lister returns h as its listings see it.
func (h *Handler) lister(ctx context.Context) listing.Server {
	return listing.Server{
		Names: h.names(), Prefix: h.prefix(ctx), Locks: h.locks(), Properties: propertySource{h},
		ReadOnly: h.ReadOnly, DeadBytes: &h.kept().deadBytes, Held: &h.kept().answers,
	}
}

// isOne reports whether r asks for one resource, which info describes, and gets no
// interim response at its start. Such a request can be answered immediately, without
// an operation. Most requests from a mounted drive are of this kind.
func (r *request) isOne(info fs.FileInfo, depth int) bool {
	later := r.h.Interim.FirstAfter() > 0 || r.h.Interim.Mode == interim.Never
	return later && (depth == 0 || !info.IsDir()) && !r.preferences().Processing
}
