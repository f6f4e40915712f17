package shares

import (
	"errors"
	"fmt"
)

// checkMounted always fails: a disk that is missing has no directories on Windows.
func checkMounted(dir string) error {
	return fmt.Errorf("%s: mounted: true has no meaning on Windows: %w", dir, errors.ErrUnsupported)
}
