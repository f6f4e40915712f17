//go:build !race

package litmus

var raceFlags []string
