// Package spec builds slo.Objectives from configuration.
//
// Objective and its parts are the keys of slowburn's own format, the same in the Collector's configuration and in files.
// Load reads both. ExpandWindow fills in a PromQL template.
//
// Rules: nothing is guessed. An unknown key, a name used twice, a file that is not there and a pattern that matches no
// file are errors; each names the file, the objective by index and name, and the key, and says what to do. All errors
// are reported at once.
package spec
