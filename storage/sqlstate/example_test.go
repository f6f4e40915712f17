package sqlstate_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/sqlstate"
)

// A property moves with its resource.
func Example() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	db, err := sqlstate.Open(ctx, filepath.Join(dir, "state.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	author := webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "author"}, InnerXML: []byte("Zoë")}
	if err := db.Patch(ctx, "/drafts/letter", []webdav.Proppatch{{Props: []webdav.Property{author}}}); err != nil {
		fmt.Println(err)
	}
	if err := db.Move(ctx, "/drafts", "/sent"); err != nil {
		fmt.Println(err)
	}
	found, _, err := db.Read(ctx, deadprops.Query{Names: []string{"/drafts/letter", "/sent/letter"}})
	if err != nil {
		fmt.Println(err)
	}
	for name, props := range found {
		fmt.Println(name, props[0].XMLName.Local, string(props[0].InnerXML))
	}
	if err := db.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: /sent/letter author Zoë
}
