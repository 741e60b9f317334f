package engine

import "github.com/slowburn/slowburn/internal/access"

// The tests make their directories private, as the gateway does: otherwise each start would warn about them.
func init() { access.KeepPrivate() }
