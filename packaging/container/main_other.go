//go:build !linux

// Command container starts davd in a Linux container.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "davd container: containers run Linux")
	os.Exit(1)
}
