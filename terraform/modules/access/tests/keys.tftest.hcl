mock_provider "aws" {}

variables {
  name       = "lifeboat-test"
  account_id = "123456789012"
  members    = ["us-east-1", "us-west-2"]
  witness    = "us-east-2"
}

run "keys" {
  command = plan

  # A key stands in every region.
  assert {
    condition     = join(" ", keys(aws_kms_key.this)) == "us-east-1 us-east-2 us-west-2"
    error_message = "Members and witness have a key each."
  }

  assert {
    condition = alltrue([
      for r, key in aws_kms_key.this : key.region == r && key.enable_key_rotation && key.deletion_window_in_days == 30
    ])
    error_message = "Keys stand in their own Region, rotate, and wait 30 days before they go."
  }

  assert {
    condition     = alltrue([for r, alias in aws_kms_alias.this : alias.name == "alias/lifeboat-test" && alias.region == r])
    error_message = "The alias is the same in every Region."
  }

  # A key names its own regions services and roles.
  assert {
    condition = alltrue(flatten([
      for r, key in aws_kms_key.this : [
        for s in jsondecode(key.policy).Statement : !can(regex(
          join("|", [for other in ["us-east-1", "us-west-2", "us-east-2"] : "${other}\\.amazonaws\\.com|:${other}:" if other != r]),
          jsonencode(s)
        ))
      ]
    ]))
    error_message = "A key policy names another Region's service or resource."
  }

  assert {
    condition = join(" ", one([
      for s in jsondecode(aws_kms_key.this["us-west-2"].policy).Statement : s.Principal.AWS if s.Sid == "FunctionsReadSettingsAndSecret"
    ])) == "arn:aws:iam::123456789012:role/lifeboat-test-health-monitor-us-west-2 arn:aws:iam::123456789012:role/lifeboat-test-failover-trigger-us-west-2"
    error_message = "Only the same Region's functions read its secret."
  }

  # The witness decrypts the members leases and nothing else there.
  assert {
    condition = alltrue([
      for r in ["us-east-1", "us-west-2"] : [
        for s in jsondecode(aws_kms_key.this[r].policy).Statement : s.Sid if strcontains(jsonencode(s), "health-monitor-us-east-2")
      ] == ["FunctionsUseLease"]
    ])
    error_message = "The witness needs the members' keys for the lease, and for nothing else."
  }

  # Through the peer's replica the lease is read with the peer's key; nothing else is.
  assert {
    condition = alltrue([
      for r, other in { "us-east-1" = "us-west-2", "us-west-2" = "us-east-1" } : [
        for s in jsondecode(aws_kms_key.this[r].policy).Statement : s.Sid
        if strcontains(jsonencode(s), "health-monitor-${other}") || strcontains(jsonencode(s), "failover-trigger-${other}")
      ] == ["FunctionsUseLease"] &&
      length(one([for s in jsondecode(aws_kms_key.this[r].policy).Statement : s.Principal.AWS if s.Sid == "FunctionsUseLease"])) == 5
    ])
    error_message = "A member's two functions need the other member's key for the lease, and for nothing else."
  }

  assert {
    condition     = !strcontains(aws_kms_key.this["us-east-2"].policy, "FunctionsUseLease")
    error_message = "There is no lease in the witness Region."
  }

  # Services are bound to this account.
  assert {
    condition = alltrue(flatten([
      for key in aws_kms_key.this : [
        for s in jsondecode(key.policy).Statement : strcontains(jsonencode(s.Condition), "123456789012") if can(s.Principal.Service)
      ]
    ]))
    error_message = "A service may use the key for another account."
  }

  assert {
    condition     = !can(regex("\"(AWS|Principal)\":\"\\*\"", aws_kms_key.this["us-east-1"].policy))
    error_message = "The key admits every principal."
  }
}
