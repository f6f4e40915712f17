package dav

// FillHeldAnswers makes h's held answers take more than they may.
func FillHeldAnswers(h *Handler) { h.answers.bytes.Add(maxHeldAnswers + 1) }
