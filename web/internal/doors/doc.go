// Package doors decides which requests the dashboard's listener accepts, before and after authentication.
//
// Doors has two handlers. Outer runs first: it refuses a Host header with an unknown name, as sites send by DNS rebinding, and
// below /api, /jaeger and /metrics it refuses requests that a browser sends for a page of another origin. Inner runs after
// web::auth: it determines the Caller, accepts changes from operators only, and logs who changed what. Me answers with the
// Caller. Connections limits the number of open connections, at the cost of slow clients.
//
// A Doors and a Hosts do not change once they are made. The lock of Connections is held while a connection is added or removed,
// that of the audit while two lines are compared; neither is held while the other is taken.
package doors
