package share

import "os"

// mayBeLinked can't tell without opening the file, and hard links are rare on Windows.
func mayBeLinked(_, _ os.FileInfo) bool { return false }
