//go:build race

package litmus

// raceFlags make davd report data races too: it then ends with status 66.
var raceFlags = []string{"-race"}
