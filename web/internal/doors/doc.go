// Package doors decides which requests the dashboard's listener takes, before and behind authentication.
//
// Doors has two handlers. Outer stands in front of everything: it refuses a Host that is an unknown name, since that is how a
// page of another site gets a browser to ask here under a name of its own (DNS rebinding), and below /api, /jaeger and /metrics it
// refuses what a browser sends on behalf of a page of another origin. Inner stands behind web::auth: it finds out who the Caller
// is, takes changes from operators only, and logs who changed what. Me tells a caller what Inner found. Connections limits
// how many connections are open, at the cost of those whose clients are slow.
//
// A Doors and a Hosts are not changed once they are made. The lock of Connections is held while a connection is added or removed,
// that of the audit while two lines are compared; neither while the other is.
package doors
