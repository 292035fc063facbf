# The rules of terraform-aws-modules' pre-commit, which the tests of this folder hold
# as well where no tflint is installed.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Files are grouped by purpose (network.tf, queue.tf); a main.tf is there where one fits.
rule "terraform_standard_module_structure" {
  enabled = false
}
