package docker

// Shown is what tells from the notes of functions that a fault has had its effect.
var Shown = shown
