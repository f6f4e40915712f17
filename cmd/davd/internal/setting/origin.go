package setting

import "fmt"

// Place is a place in a configuration file. Line and Column count from 1; they are 0 if unknown.
type Place struct {
	File         string
	Line, Column int
}

// String returns the place in the form that editors understand: FILE:LINE:COLUMN.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Origin is where the operator wrote a text. The zero Origin is that of a default.
type Origin struct {
	// Name is "--" and the name of a flag, the name of an environment variable, or the path
	// of a key in a file, such as shares./photos.symlinks.
	Name string
	// Place is the place of a text in a file. Its File is empty for a flag or variable.
	Place Place
}

// IsDefault reports whether the operator wrote nothing.
func (o Origin) IsDefault() bool { return o.Name == "" }

// InFile reports whether the text is in a configuration file.
func (o Origin) InFile() bool { return o.Place.File != "" }

// String returns the text in front of an error message.
func (o Origin) String() string {
	if o.InFile() {
		return o.Place.String() + ": " + o.Name
	}
	return o.Name
}
