// Package attr has the names of the attributes that slowburn writes on spans, and reads back in components behind the
// writer. It has no types. The names are an interface: backends, dashboards and users' queries depend on them.
//
// Names under tailsampling are those of contrib's processor, which migrated queries expect, with ours beside them. Names
// under slowburn are all ours.
package attr
