# Rendered by Lifeboat from its config. Change the config and render again; what you change
# here is overwritten.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  backend "s3" {
    bucket       = "lifeboat-demo-state-us-east-1"
    key          = "demo/region-us-east-1.tfstate"
    region       = "us-east-1"
    encrypt      = true
    kms_key_id   = "alias/lifeboat-demo-state"
    use_lockfile = true
  }
}
