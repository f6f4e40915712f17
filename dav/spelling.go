package dav

import (
	"context"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// resource returns the storage name for a URL path, in the storage's spelling.
func (h *Handler) resource(ctx context.Context, urlPath string) (string, error) {
	name, err := h.name(urlPath)
	if err != nil {
		return "", err
	}
	return h.spelling(ctx, name), nil
}

// spelling returns name as the storage spells it. To the storage a name is bytes, but
// macOS sends names decomposed (NFD) and most other clients send them composed (NFC),
// and both mean the same resource. spelling returns name unchanged if it exists as sent,
// or in neither form: a new resource gets the client's spelling.
func (h *Handler) spelling(ctx context.Context, name string) string {
	if !ambiguous(name) {
		return name
	}
	if _, err := h.FileSystem.Stat(ctx, name); err == nil {
		return name
	}
	spelled := "/"
	for segment := range strings.SplitSeq(name[1:], "/") {
		spelled = h.spellSegment(ctx, spelled, segment)
	}
	return spelled
}

// spellSegment returns the name of the member segment of collection, as the storage
// spells it.
func (h *Handler) spellSegment(ctx context.Context, collection, segment string) string {
	sent := path.Join(collection, segment)
	if !ambiguous(segment) {
		return sent
	}
	for _, spelling := range []string{segment, norm.NFC.String(segment), norm.NFD.String(segment)} {
		name := path.Join(collection, spelling)
		if _, err := h.FileSystem.Stat(ctx, name); err == nil {
			return name
		}
	}
	return sent
}

// ambiguous reports whether name has more than one spelling.
func ambiguous(name string) bool {
	ascii := true
	for i := range len(name) {
		ascii = ascii && name[i] < utf8.RuneSelf
	}
	return !ascii && utf8.ValidString(name) && (!norm.NFC.IsNormalString(name) || !norm.NFD.IsNormalString(name))
}
