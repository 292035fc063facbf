# Rendered by Lifeboat from its config. Change the config and render again; what you change
# here is overwritten.

name = "lifeboat-demo"
default_tags = {
  "lifeboat:environment" = "demo"
}
state_bucket = "lifeboat-demo-state"
regions = [
  "us-east-1",
  "us-west-2",
]
