// Package terraform carries Lifeboat's Terraform modules. They are written by hand
// and work without this library; package infra/render writes the roots around them.
package terraform

import "embed"

// Modules holds the folder modules: one module a folder, with its README and tests.
//
//go:embed modules
var Modules embed.FS
