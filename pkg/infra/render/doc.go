// Package render turns an infra.Config into Terraform: one root per unit, with its
// backend, providers, module calls and values, around the hand-written modules.
//
// The output is meant to be read, reviewed and kept: the same config gives the same
// bytes, literals stand in terraform.tfvars only, and nothing in it needs Lifeboat.
// Delete this library and `terraform plan` still works.
package render
