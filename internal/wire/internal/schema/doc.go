// Package schema describes the messages of OTLP's traces: it reads their fields one by one, in place, and checks them.
//
// Its types are Message (a message's fields by number; one variable for each message), Field (a field read by Next) and
// Error (why bytes are malformed). PlainAttribute and SplitPlain are the fast path before Next for the layout of nearly all
// attributes. Nothing in it changes after the program has started.
package schema
