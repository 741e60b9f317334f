package recovery

import "github.com/slowburn/slowburn/internal/access"

// The gateway's own folders are private, so those of the tests are: else each start would say that they are not.
func init() { access.KeepPrivate() }
