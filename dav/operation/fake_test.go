package operation

import (
	"net/http"

	"github.com/davd/davd/dav/internal/field"
)

func href(name string) string { return string(field.AppendHref(nil, "", name, false)) }

// fixedAccess is an Access according to which principal sends all requests.
type fixedAccess struct {
	Access
	principal string
}

func (a fixedAccess) Principal(*http.Request) string { return a.principal }
