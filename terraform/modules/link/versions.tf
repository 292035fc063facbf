terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"

      # Requester and accepter are AWS's words for the two ends of a peering. They say who
      # asked for it, nothing about where the database is.
      configuration_aliases = [aws.requester, aws.accepter]
    }
  }
}
