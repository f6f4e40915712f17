package dav

import (
	"context"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/storage/tree"
)

// isOne reports whether r asks for one resource, which info describes, and gets no
// interim response at its start. Such a request can be answered immediately, without
// an operation. Most requests from a mounted drive are of this kind.
func (h *Handler) isOne(r *request, info fs.FileInfo, depth int) bool {
	later := h.Interim.FirstAfter() > 0 || h.Interim.Mode == interim.Never
	return later && (depth == 0 || !info.IsDir()) && !r.preferences().Processing
}

// one answers with the one resource that info describes. It does nothing and reports
// false if the resource has more dead properties than fit in memory.
func (p *propfind) one(w http.ResponseWriter, r *request, info fs.FileInfo) (done bool, err error) {
	ctx := r.Context()
	p.ctx, p.live.ctx = ctx, ctx
	pg := p.one207(ctx, info)
	defer pg.release()
	if len(pg.later) > 0 {
		return false, nil
	}
	p.handler.Interim.AtOnce(r.Request)
	header := w.Header()
	if p.minimal != "" {
		setMinimal(header, p.minimal)
	}
	header.Set("Content-Length", strconv.Itoa(len(pg.Buf)))
	davxml.SetMultistatus(w)
	_, err = w.Write(pg.Buf)
	return true, err
}

// one207 returns the complete multi-status for one resource.
func (p *propfind) one207(ctx context.Context, info fs.FileInfo) *page {
	pg := p.emptyPage()
	pg.Buf = append(pg.Buf, davxml.Start...)
	pg.describe(ctx, []tree.Member{{Name: p.root, Info: info}})
	pg.Buf = davxml.AppendEnd(pg.Buf, "")
	return pg
}
