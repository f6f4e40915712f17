package sqlstate

import (
	"encoding/xml"
	"maps"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// TestPropertyRows: what Patch counts without asking the database again must be what the
// database has, also for names that are stored in another form.
func TestPropertyRows(t *testing.T) {
	db := openNew(t)
	prop := func(local, lang, value string) webdav.Property {
		return webdav.Property{XMLName: xml.Name{Space: "urn:\xff%", Local: local}, Lang: lang, InnerXML: []byte(value)}
	}
	for _, step := range []struct {
		owner string
		patch []webdav.Proppatch
	}{
		{"a%", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "de", "é"), prop("two", "", "")}}}},
		{"b", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "", "longer")}}, {Remove: true, Props: []webdav.Property{prop("two", "", ""), prop("none", "", "")}}}},
		{"b", []webdav.Proppatch{{Props: []webdav.Property{prop("one", "", "x"), prop("one", "", "xyz")}}}},
		{"c", []webdav.Proppatch{{Props: []webdav.Property{prop("two", "", "y")}}, {Remove: true, Props: []webdav.Property{prop("one", "", "")}}}},
		{"c", []webdav.Proppatch{{Remove: true, Props: []webdav.Property{prop("two", "", "")}}}},
	} {
		ctx := deadprops.WithBudget(t.Context(), deadprops.Budget{Owner: step.owner})
		want, err := rowsOf(ctx, db.reader, key("/f"))
		if err != nil {
			t.Fatal(err)
		}
		for _, patch := range step.patch {
			for _, each := range patch.Props {
				want.patch(propertyUse{}, each, patch.Remove, step.owner)
			}
		}
		if err := db.Patch(ctx, "/f", step.patch); err != nil {
			t.Fatal(err)
		}
		got, err := rowsOf(ctx, db.reader, key("/f"))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v, %v", step.owner, got, want, err)
		}
		for _, owner := range []string{"a%", "b", "c"} {
			sum := int64(0)
			for _, row := range got {
				if row.owner == owner {
					sum += row.size
				}
			}
			if used, err := ownedBy(ctx, db.reader, owner); err != nil || used != sum {
				t.Errorf("after %s: %s has %d bytes, want %d, %v", step.owner, owner, used, sum, err)
			}
		}
		if bare, err := isBare(ctx, db.reader); err != nil || bare != db.bare.Load() {
			t.Errorf("after %s: bare is %v, want %v, %v", step.owner, db.bare.Load(), bare, err)
		}
	}
}
