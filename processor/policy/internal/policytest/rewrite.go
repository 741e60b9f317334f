package policytest

import "flag"

// Rewrite makes tests write their results into testdata instead of comparing.
var Rewrite = flag.Bool("rewrite", false, "write what the code gives into testdata, instead of comparing")
