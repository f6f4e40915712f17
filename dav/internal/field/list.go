package field

import "strings"

// Elements yields the elements of a comma-separated header (RFC 9110 §5.6.1). A
// comma in a quoted string is not a separator.
func Elements(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			quoted, start := false, 0
			for i := 0; i <= len(value); i++ {
				switch {
				case i == len(value) || (value[i] == ',' && !quoted):
					if element := strings.TrimSpace(value[start:i]); element != "" && !yield(element) {
						return
					}
					start = i + 1
				case value[i] == '"':
					quoted = !quoted
				case value[i] == '\\' && quoted && i+1 < len(value):
					i++
				}
			}
		}
	}
}
