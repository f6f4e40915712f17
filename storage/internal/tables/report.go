package tables

// Report is the result of the check of a state.
type Report struct {
	// Version is that of the tables.
	Version int `json:"version"`
	// Locks, Properties, Operations and Tokens are how many there are, and Unfinished is how many
	// changes are under way, or have to be finished or undone.
	Locks      int64 `json:"locks"`
	Properties int64 `json:"properties"`
	Operations int64 `json:"operations"`
	Tokens     int64 `json:"tokens"`
	Unfinished int64 `json:"unfinished"`
	// Problems has a sentence for each thing that is wrong; not nil.
	Problems []string `json:"problems"`
}
