variable "name" {
  type        = string
  description = "Prefix of every name."
}

variable "default_tags" {
  type        = map(string)
  description = "Tags of everything."
}

variable "state_bucket" {
  type        = string
  description = "Base name of the buckets; the Region is appended."
}

variable "regions" {
  type        = list(string)
  description = "Regions that get a bucket."
}
