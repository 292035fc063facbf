# The truth table of README.md, evaluated with the attributes that the module sets.
# "east" is the first member, "west" the second. A dark Region says nothing; a Region
# that lives says where the writer is, by the lease.

mock_provider "aws" {}

variables {
  name             = "lifeboat-test"
  zone_name        = "test.lifeboat.internal"
  members          = ["us-east-1", "us-west-2"]
  vpc_ids          = { "us-east-1" = "vpc-east", "us-west-2" = "vpc-west" }
  endpoints        = { "us-east-1" = "east.example.internal", "us-west-2" = "west.example.internal" }
  role_alarm_names = { "us-east-1" = "lifeboat-test-role-us-east-1", "us-west-2" = "lifeboat-test-role-us-west-2" }
}

# The origin's health checks steered nothing: it had no record.
run "fault_5_checks_steer_records" {
  command = apply

  assert {
    condition = alltrue([
      for region in var.members :
      aws_route53_record.db[region].health_check_id == aws_route53_health_check.role[region].id &&
      aws_route53_record.db[region].zone_id == aws_route53_zone.this.zone_id
    ]) && length(distinct(values(output.health_check_ids))) == 2
    error_message = "Each record follows its own Region's check, in this zone."
  }
}

run "truth_table" {
  command = apply

  module {
    source = "./tests/route53"
  }

  variables {
    steering = run.fault_5_checks_steer_records.steering
    rows = [
      {
        name = "1 writer east, both up"
        now  = { "us-east-1" = "us-east-1", "us-west-2" = "us-east-1" }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-east-1" }
        want = "us-east-1"
      },
      {
        name = "2 writer west, both up"
        now  = { "us-east-1" = "us-west-2", "us-west-2" = "us-west-2" }
        last = { "us-east-1" = "us-west-2", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "3 writer east, east dark, not moved yet"
        now  = { "us-east-1" = null, "us-west-2" = "us-east-1" }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-east-1" }
        want = "us-east-1"
      },
      {
        name = "4 writer east, west dark"
        now  = { "us-east-1" = "us-east-1", "us-west-2" = null }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-east-1" }
        want = "us-east-1"
      },
      {
        name = "5 writer west, west dark, not moved yet"
        now  = { "us-east-1" = "us-west-2", "us-west-2" = null }
        last = { "us-east-1" = "us-west-2", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "6 writer west, east dark"
        now  = { "us-east-1" = null, "us-west-2" = "us-west-2" }
        last = { "us-east-1" = "us-west-2", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "7 east dark, moved from east to west"
        now  = { "us-east-1" = null, "us-west-2" = "us-west-2" }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "8 west dark, moved from west to east"
        now  = { "us-east-1" = "us-east-1", "us-west-2" = null }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-east-1"
      },
      {
        name = "9 both dark, writer was east"
        now  = { "us-east-1" = null, "us-west-2" = null }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-east-1" }
        want = "us-east-1"
      },
      {
        name = "10 both dark, writer was west"
        now  = { "us-east-1" = null, "us-west-2" = null }
        last = { "us-east-1" = "us-west-2", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "11 row 7, then west silent too"
        now  = { "us-east-1" = null, "us-west-2" = null }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "13 east says west, west still says east (planned move, east heard first)"
        now  = { "us-east-1" = "us-west-2", "us-west-2" = "us-east-1" }
        last = { "us-east-1" = "us-west-2", "us-west-2" = "us-east-1" }
        want = "us-east-1"
      },
      {
        name = "14 each claims the writer"
        now  = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-east-1"
      },
    ]
  }

  assert {
    condition     = output.count == 13
    error_message = "Every row of the table is evaluated."
  }

  assert {
    condition     = length(output.wrong) == 0
    error_message = "Wrong answers: ${join("; ", output.wrong)}"
  }
}

# Row 12 is the one that two records can't answer: the same words as in row 11, said
# in the other order. It is written down, so that operators know it before an outage.
run "known_limit" {
  command = apply

  module {
    source = "./tests/route53"
  }

  variables {
    steering = run.fault_5_checks_steer_records.steering
    rows = [{
      name = "12 row 8, then east silent too"
      now  = { "us-east-1" = null, "us-west-2" = null }
      last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
      want = "us-east-1"
    }]
  }

  assert {
    condition     = output.wrong == ["12 row 8, then east silent too: answers us-west-2"]
    error_message = "Row 12 answers differently from what README.md admits: correct README.md."
  }
}

# The same table must hold for a member order that begins in the west: mirrored.
run "mirrored_records" {
  command = apply

  variables {
    members = ["us-west-2", "us-east-1"]
  }
}

run "mirrored_truth" {
  command = apply

  module {
    source = "./tests/route53"
  }

  variables {
    steering = run.mirrored_records.steering
    rows = [
      {
        name = "east dark, moved from east to west"
        now  = { "us-east-1" = null, "us-west-2" = "us-west-2" }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-west-2"
      },
      {
        name = "west dark, moved from west to east"
        now  = { "us-east-1" = "us-east-1", "us-west-2" = null }
        last = { "us-east-1" = "us-east-1", "us-west-2" = "us-west-2" }
        want = "us-east-1"
      },
    ]
  }

  assert {
    condition     = output.count == 2 && length(output.wrong) == 0
    error_message = "Wrong answers: ${join("; ", output.wrong)}"
  }
}
