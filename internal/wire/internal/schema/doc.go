// Package schema knows the messages of OTLP's traces: it reads their fields one by one, in place, and checks them.
//
// Its types are Message (a message's fields by number; one variable for each message), Field (one that Next read) and Error
// (why bytes are none of it). PlainAttribute and SplitPlain are the short way past Next for the layout that nearly all
// attributes have. Nothing in it changes after the program has started.
package schema
