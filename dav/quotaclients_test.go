package dav_test

import (
	"testing"

	"github.com/davd/davd/dav"
)

// TestQuotaClients checks which clients get the quota properties (RFC 4331).
func TestQuotaClients(t *testing.T) {
	const (
		named    = `<propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>`
		included = `<propfind xmlns="DAV:"><allprop/><include><quota-available-bytes/><quota-used-bytes/></include></propfind>`
	)
	for _, configured := range []bool{false, true} {
		s := serveLocal(t, &dav.Handler{QuotaForMacs: configured}, garden())
		for agent, want := range map[string]bool{
			"":     true,
			"curl": true,
			"WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)":        true,
			"WebDAVFS/3.0.0 (03008000) Darwin/24.3.0 (x86_64)":       true,
			"WebDAVFS/3.0.0 (03008000) Darwin/24.4.0 (arm64)":        configured,
			"WebDAVFS/3.0.0 (03008000) Darwin/24.10.0 (arm64)":       configured,
			"WebDAVFS/3.0.0 (03008000) Darwin/25.0.0 (arm64)":        configured,
			"WebDAVFS/3.0.0 (03008000) Darwin/":                      true,
			"WebDAVFS/3.0.0 (03008000)":                              true,
			"WebDAVLib/1.3 Darwin/25.0.0":                            true,
			"SomethingElse/1 WebDAVFS/3.0.0 Darwin/25.0.0":           true,
			"WebDAVFS/3.0.0 (Darwin/25.0.0) Darwin/23.6.0 (arm64 x)": true,
		} {
			for _, body := range []string{named, included} {
				root := s.multistatus(s.send("PROPFIND", "/", body, "Depth: 0", "User-Agent: "+agent)).responses["/"]
				for _, local := range []string{"quota-available-bytes", "quota-used-bytes"} {
					if got := root.dav(local).status == 200; got != want {
						t.Errorf("configured %v: %s for %q: %v", configured, local, agent, got)
					}
				}
			}
		}
	}
}
