//go:build !unix

package access

// KeepPrivate does nothing: the folder's access lists decide.
func KeepPrivate() {}
