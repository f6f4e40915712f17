package dav

import (
	"net/http"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// slowDarwin is the first version of Darwin whose WebDAV client takes up to 90 seconds to
// mount a server that answers the quota properties. It belongs to macOS 15.4.
const slowDarwin = "24.4"

// withoutQuota reports whether the client of r gets no quota properties, because they would
// delay it.
func (h *Handler) withoutQuota(r *http.Request) bool {
	agent := r.UserAgent()
	if h.QuotaForMacs || !strings.HasPrefix(agent, "WebDAVFS/") {
		return false
	}
	for _, product := range field.Products(agent) {
		if product.Name == "Darwin" {
			return field.IsVersion(product.Version) && field.CompareVersions(product.Version, slowDarwin) >= 0
		}
	}
	return false
}
