// Package attr has the names of the attributes that slowburn writes on spans, and reads back where one component goes by
// what another wrote. It has no types. The names are an interface: backends, dashboards and users' queries lean on them.
//
// Names under tailsampling are those of contrib's processor, which migrated queries expect, and ours beside them. Names
// under slowburn are all ours.
package attr
