provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = var.default_tags
  }
}

provider "aws" {
  alias  = "first"
  region = var.regions[0]

  default_tags {
    tags = var.default_tags
  }
}

provider "aws" {
  alias  = "second"
  region = var.regions[1]

  default_tags {
    tags = var.default_tags
  }
}
