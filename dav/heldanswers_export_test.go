package dav

// FillHeldAnswers makes h's held answers take more than they may.
func FillHeldAnswers(h *Handler) { h.kept().answers.Count(0, 17<<20) }
