//go:build race

package litmus

// raceFlags build davd with the race detector. After a data race, davd exits with status 66.
var raceFlags = []string{"-race"}
