provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = var.default_tags
  }
}

provider "aws" {
  alias  = "requester"
  region = var.requester_region

  default_tags {
    tags = var.default_tags
  }
}

provider "aws" {
  alias  = "accepter"
  region = var.accepter_region

  default_tags {
    tags = var.default_tags
  }
}
