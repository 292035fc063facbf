terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"

      # The provider of the first and of the second Region in var.regions: a bucket is made
      # and read where its provider stands.
      configuration_aliases = [aws.first, aws.second]
    }
  }
}
