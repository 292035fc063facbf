// Package render turns an infra.Config into Terraform: one root per unit, with its
// backend, providers, module calls and values, around the hand-written modules.
//
// The output is meant to be read, reviewed and kept: the same config gives the same
// bytes, values stand in terraform.tfvars (a backend and a provider's Region can't be
// variables), and nothing in it needs Lifeboat.
// Delete this library and `terraform plan` still works.
package render
