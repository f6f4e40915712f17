package objectfs

// SetPage sets how many members one statement finds.
func (f *FS) SetPage(n int) { f.page = n }
