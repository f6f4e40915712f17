package local

// CheckEach makes an f that denies links look at each segment of a name.
func (f *FS) CheckEach() {
	if d, ok := f.root.(*denying); ok && d.start != nil {
		_ = d.start.Close()
		d.start = nil
	}
}
