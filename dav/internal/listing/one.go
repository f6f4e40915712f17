package listing

import (
	"context"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage/tree"
)

// One answers with the resource alone, after calling answering. It does nothing and
// reports false if the resource has more dead properties than fit in memory.
func (p *Answer) One(w http.ResponseWriter, answering func()) (done bool, err error) {
	pg := p.one207(p.ctx, p.about.Info)
	defer pg.release()
	if len(pg.later) > 0 {
		return false, nil
	}
	answering()
	header := w.Header()
	if p.about.Minimal != "" {
		field.SetMinimal(header, p.about.Minimal)
	}
	// Set would allocate for each header.
	values := [...]string{strconv.Itoa(len(pg.Buf)), davxml.ContentType}
	header["Content-Length"], header["Content-Type"] = values[:1:1], values[1:]
	w.WriteHeader(http.StatusMultiStatus)
	_, err = w.Write(pg.Buf)
	return true, err
}

// one207 returns the complete multi-status for one resource.
func (p *Answer) one207(ctx context.Context, info fs.FileInfo) *page {
	pg := p.emptyPage()
	pg.Buf = append(pg.Buf, davxml.Start...)
	pg.describe(ctx, []tree.Member{{Name: p.about.Name, Info: info}})
	pg.Buf = davxml.AppendEnd(pg.Buf, "")
	return pg
}
