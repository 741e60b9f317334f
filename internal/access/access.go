// Package access says what to do where this process may not write.
package access

import (
	"fmt"
	"os"
)

// Advice tells whose right is missing, and, in a pod, which key of Kubernetes gives it: a volume belongs to root until fsGroup
// says otherwise.
func Advice() string {
	advice := fmt.Sprintf("user %d, who runs slowburn, has no right to write there: let it own the directory and what is in it", os.Geteuid())
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		advice += fmt.Sprintf(" (a pod's volume belongs to root until its securityContext has fsGroup: %d)", os.Getegid())
	}
	return advice
}
