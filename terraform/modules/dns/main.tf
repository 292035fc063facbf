locals {
  record_name = "db.${var.zone_name}"

  # Route 53 calls the two records of a failover pair PRIMARY and SECONDARY. Here
  # that is an order of preference and no role: which Region has the writer is said
  # by the health checks. README.md derives the rest of this table.
  steering = {
    for region in var.members : region => {
      alarm_name   = var.role_alarm_names[region]
      alarm_region = one(setsubtract(var.members, [region]))
      order        = region == var.members[0] ? "PRIMARY" : "SECONDARY"
      silence      = region == var.members[0] ? "LastKnownStatus" : "Healthy"
    }
  }
}

# Private: the names of database endpoints are of use inside the two VPCs only, so
# the rules for public zones (DNSSEC, query logging) don't apply.
resource "aws_route53_zone" "this" {
  name    = var.zone_name
  comment = "${var.name}: the Region that has the writer, for the application tier"

  vpc {
    vpc_id     = var.vpc_ids[var.members[0]]
    vpc_region = var.members[0]
  }

  vpc {
    vpc_id     = var.vpc_ids[var.members[1]]
    vpc_region = var.members[1]
  }
}

# Healthy means "the other Region reports that the writer is in this Region". Route
# 53 reads the metric behind the alarm, not the alarm's state, and does so from
# outside both Regions: no call to Route 53 is needed while a Region is lost.
resource "aws_route53_health_check" "role" {
  for_each = local.steering

  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = each.value.alarm_name
  cloudwatch_alarm_region         = each.value.alarm_region
  insufficient_data_health_status = each.value.silence
  invert_healthcheck              = false

  # Route 53 copies the alarm's metric and threshold when the check is written. A
  # changed alarm is copied again only when this value changes.
  triggers = {
    alarm = lookup(var.role_alarm_definitions, each.key, "")
  }

  tags = {
    Name = "${var.name}-${each.key}"
  }
}

resource "aws_route53_record" "db" {
  for_each = local.steering

  zone_id         = aws_route53_zone.this.zone_id
  name            = local.record_name
  type            = "CNAME"
  ttl             = 5 # Aurora User Guide: cache an endpoint's name for at most 5 s
  records         = [var.endpoints[each.key]]
  set_identifier  = each.key
  health_check_id = aws_route53_health_check.role[each.key].id

  failover_routing_policy {
    type = each.value.order
  }
}
