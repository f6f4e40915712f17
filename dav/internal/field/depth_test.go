package field

import (
	"errors"
	"net/http"
	"testing"
)

// unset is the value of a header that is not sent.
const unset = "(unset)"

func TestDepth(t *testing.T) {
	for _, c := range []struct {
		name    string
		value   string
		allowed []string
		want    int
		status  int
	}{
		{"§10.2 absent", unset, []string{"0"}, Infinite, 0},
		{"§10.2 empty", "", []string{"0"}, 0, http.StatusBadRequest},
		{"§10.2 0", "0", []string{"0", "1", "infinity"}, 0, 0},
		{"§10.2 1", "1", []string{"0", "1", "infinity"}, 1, 0},
		{"§10.2 infinity", "infinity", []string{"0", "1", "infinity"}, Infinite, 0},
		{"§8.2 in any case", "Infinity", []string{"0", "infinity"}, Infinite, 0},
		{"§8.2 upper case", "INFINITY", []string{"infinity"}, Infinite, 0},
		{"§9.8.3 1 for COPY", "1", []string{"0", "infinity"}, 0, http.StatusBadRequest},
		{"§9.9.2 0 for MOVE", "0", []string{"infinity"}, 0, http.StatusBadRequest},
		{"2", "2", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"-1", "-1", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"01", "01", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"not a number", "deep", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"list", "0, infinity", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
		{"RFC 3253 noroot", "1,noroot", []string{"0", "1", "infinity"}, 0, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			var values []string
			if c.value != unset {
				values = []string{c.value}
			}
			got, err := ParseDepth(values).In("COPY", c.allowed...)
			if got != c.want || fieldStatus(err) != c.status {
				t.Errorf("Depth %q is %d, status %d, want %d, %d", c.value, got, fieldStatus(err), c.want, c.status)
			}
		})
	}
}

func TestOverwrite(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
		status      int
	}{
		{"§10.6 absent", unset, true, 0},
		{"§10.6 empty", "", false, http.StatusBadRequest},
		{"§10.6 T", "T", true, 0},
		{"§10.6 F", "F", false, 0},
		{"§8.2 t", "t", true, 0},
		{"§8.2 f", "f", false, 0},
		{"true", "true", false, http.StatusBadRequest},
		{"list", "T, F", false, http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			var values []string
			if c.value != unset {
				values = []string{c.value}
			}
			got, err := ParseOverwrite(values)
			if got != c.want || fieldStatus(err) != c.status {
				t.Errorf("Overwrite %q is %t, status %d, want %t, %d", c.value, got, fieldStatus(err), c.want, c.status)
			}
		})
	}
}

// fieldStatus returns the status of a Error, and 0 for nil.
func fieldStatus(err error) int {
	var field *Error
	if errors.As(err, &field) {
		return field.Status
	}
	return 0
}
