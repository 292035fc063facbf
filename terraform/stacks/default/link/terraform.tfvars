# Rendered by Lifeboat from its config. Change the config and render again; what you change
# here is overwritten.

name = "lifeboat-demo"
default_tags = {
  "lifeboat:environment" = "demo"
}
requester_region = "us-east-1"
accepter_region  = "us-west-2"
dns_zone         = "demo.lifeboat.internal"
members = [
  "us-east-1",
  "us-west-2",
]
