package drills_test

// reds are the cases of TestHarm that show a fault of the product which is not mended yet.
// Each must fail; the change that mends one takes its line out.
var reds = map[string]bool{}
