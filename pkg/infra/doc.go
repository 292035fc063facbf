// Package infra describes a deployment of Lifeboat over two AWS Regions as one Go
// value, [Config], and splits it into the Terraform roots that it becomes, [Unit].
// Package render writes those roots and package tf plans, checks and applies them.
//
// A Config comes from Go or from a YAML or JSON file ([Load]). Reading a file finds
// every key that is unknown, misspelt, doubled or of the wrong type, with its place;
// [Config.Validate] then judges the values. Both report everything at once.
//
// A Config names Regions and never roles: which Region holds the writer is found
// out at run time, so one failover makes nothing in it a lie.
package infra
