package objectfs

import "time"

// SetPage sets how many members one statement finds.
func (f *FS) SetPage(n int) { f.page = n }

// SetClock sets the clock of a collector.
func (c *Collector) SetClock(now func() time.Time) { c.now = now }
