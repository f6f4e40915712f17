package listing

import (
	"encoding/xml"
	"fmt"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/infotest"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage/tree"
)

// BenchmarkPage measures the XML of 128 members of a collection, without the disk
// and without the wire, with the four properties that most clients name and with
// all.
func BenchmarkPage(b *testing.B) {
	const count = 128
	members := make([]tree.Member, count)
	for i := range members {
		name := fmt.Sprintf("/photos/2024/img%05d.jpg", i)
		members[i] = tree.Member{Name: name, Info: infotest.Info{Base: name, Length: 123_456, Modified: time.Unix(1_700_000_000+int64(i), 0)}}
	}
	var four []xml.Name
	for _, local := range []string{"resourcetype", "getcontentlength", "getlastmodified", "getetag"} {
		four = append(four, davxml.Name(local))
	}
	for name, request := range map[string]davxml.Propfind{"four": {Props: four}, "allprop": {Allprop: true}} {
		b.Run(name, func(b *testing.B) {
			p := &Answer{server: Server{Names: place.Resolver{FS: webdav.NewMemFS()}}, about: Request{Query: newQuery(request)}}
			p.live = liveValues{ctx: b.Context(), shared: true}
			size := 0
			page := func() {
				pg := p.newPage(b.Context(), members)
				size = len(pg.Buf)
				pg.release()
			}
			for b.Loop() {
				page()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/member")
			b.ReportMetric(float64(size)/count, "bytes/member")
			b.ReportMetric(testing.AllocsPerRun(10, page)/count, "allocs/member")
		})
	}
}
