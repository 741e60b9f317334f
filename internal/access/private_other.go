//go:build !unix

package access

// KeepPrivate has nothing to do: access lists of the folder decide.
func KeepPrivate() {}
