package tokens_test

import (
	"context"
	"fmt"
	"log"

	"github.com/davd/davd/storage/tokens"
)

// An application password is shown once, and ends when it is revoked.
func ExampleKeyring() {
	ctx := context.Background()
	keyring, err := tokens.New(ctx, tokens.NewMem())
	if err != nil {
		log.Fatal(err)
	}
	password, _, err := keyring.Add(ctx, tokens.Token{User: "ann", Name: "phone", ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	found, ok := keyring.Find("ann", password)
	fmt.Println(found.Name, found.ReadOnly, ok)
	if _, err := keyring.Revoke(ctx, "ann", "phone"); err != nil {
		log.Fatal(err)
	}
	_, ok = keyring.Find("ann", password)
	fmt.Println(ok)
	// Output:
	// phone true true
	// false
}
