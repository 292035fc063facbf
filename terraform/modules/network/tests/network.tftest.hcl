mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["us-east-1d", "us-east-1a", "us-east-1b", "us-east-1c"]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:lifeboat-test-flow-logs" }
  }

  mock_resource "aws_vpc_endpoint" {
    defaults = {
      prefix_list_id = "pl-02cd2c6b"
      dns_entry = [
        { dns_name = "vpce-0a1b2c3d-us-east-1a-x9y8z7.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZONAL" },
        { dns_name = "vpce-0a1b2c3d-x9y8z7-us-east-1a.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZONAL" },
        { dns_name = "vpce-0a1b2c3d-x9y8z7.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "Z7HUB22UULQXV" },
        { dns_name = "rds.us-east-1.amazonaws.com", hosted_zone_id = "PRIVATE" },
      ]
    }
  }
}

override_resource {
  target = aws_vpc_endpoint.peer_dynamodb
  values = {
    dns_entry = [
      { dns_name = "vpce-0d1b2c3d-x9y8z7-us-east-1a.dynamodb.us-east-1.vpce.amazonaws.com", hosted_zone_id = "ZONAL" },
      { dns_name = "*.vpce-0d1b2c3d-x9y8z7.dynamodb.us-east-1.vpce.amazonaws.com", hosted_zone_id = "Z7HUB22UULQXV" },
      { dns_name = "vpce-0d1b2c3d-x9y8z7.dynamodb.us-east-1.vpce.amazonaws.com", hosted_zone_id = "Z7HUB22UULQXV" },
    ]
  }
}

variables {
  name               = "lifeboat-test"
  region             = "us-east-1"
  cidr               = "10.0.0.0/16"
  peer_cidr          = "10.1.0.0/16"
  peer_region        = "us-west-2"
  key_arn            = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  flow_logs_role_arn = "arn:aws:iam::123456789012:role/lifeboat-test-flow-logs"
}

run "network" {
  # Three private subnets in three zones.
  assert {
    condition     = { for seat, s in aws_subnet.private : seat => s.availability_zone } == { "1" = "us-east-1a", "2" = "us-east-1b", "3" = "us-east-1c" }
    error_message = "The subnets must lie in the first three zones by name, one each."
  }

  assert {
    condition     = { for seat, s in aws_subnet.private : seat => s.cidr_block } == { "1" = "10.0.0.0/20", "2" = "10.0.16.0/20", "3" = "10.0.32.0/20" }
    error_message = "Each subnet takes a sixteenth of the range."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.private : s.map_public_ip_on_launch == false])
    error_message = "A private subnet hands out no public address (CKV_AWS_130)."
  }

  assert {
    condition     = length(aws_route_table.private) == 3 && length(aws_route_table_association.private) == 3
    error_message = "Every zone has a route table of its own."
  }

  assert {
    condition     = aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames
    error_message = "The endpoints' private names resolve only with both DNS switches on."
  }

  # Default security group is empty.
  assert {
    condition     = aws_default_security_group.this.vpc_id == aws_vpc.this.id
    error_message = "The VPC's default group must be taken over (CKV2_AWS_12)."
  }

  # Flow logs are complete and encrypted.
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.vpc_id == aws_vpc.this.id
    error_message = "All traffic of the VPC is logged (CKV2_AWS_11)."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.kms_key_id == var.key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "The log group has the Region's key and is kept a year (CKV_AWS_158, CKV_AWS_338)."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.name == "lifeboat-test-flow-logs"
    error_message = "The flow logs' role writes to this name and to no other."
  }

  # Every service of the functions has an endpoint.
  assert {
    condition = toset([for e in aws_vpc_endpoint.interface : e.service_name]) == toset([
      for s in ["lambda", "logs", "monitoring", "rds", "secretsmanager", "sns"] : "com.amazonaws.us-east-1.${s}"
    ])
    error_message = "A service is missing, or one is there that nothing calls."
  }

  assert {
    condition     = alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled && length(e.subnet_ids) == 3])
    error_message = "An interface endpoint answers to the service's own name, in all three zones."
  }

  assert {
    condition     = aws_vpc_endpoint.dynamodb.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.dynamodb.service_name == "com.amazonaws.us-east-1.dynamodb" && length(aws_vpc_endpoint.dynamodb.route_table_ids) == 3
    error_message = "DynamoDB is reached through a gateway in all three route tables."
  }

  # The peer Region reaches the lease table here, and this Region's functions don't pay for it.
  assert {
    condition = (
      aws_vpc_endpoint.peer_dynamodb.vpc_endpoint_type == "Interface" &&
      aws_vpc_endpoint.peer_dynamodb.service_name == "com.amazonaws.us-east-1.dynamodb" &&
      !aws_vpc_endpoint.peer_dynamodb.private_dns_enabled &&
      length(aws_vpc_endpoint.peer_dynamodb.subnet_ids) == 3 &&
      aws_vpc_endpoint.peer_dynamodb.security_group_ids == toset([aws_security_group.inter_region_api.id])
    )
    error_message = "The peer Region, and it alone, reaches DynamoDB through an interface in all three zones; with a private name this Region's functions would leave the gateway."
  }

  assert {
    condition = alltrue([
      for e in concat(values(aws_vpc_endpoint.interface), [aws_vpc_endpoint.dynamodb, aws_vpc_endpoint.peer_dynamodb]) : alltrue([
        for s in jsondecode(e.policy).Statement :
        s.Effect == "Allow" && s.Condition.StringEquals["aws:PrincipalAccount"] == "123456789012" && !contains([s.Action], "*")
      ])
    ])
    error_message = "An endpoint admits principals of this account only, to its own service only."
  }

  assert {
    condition = toset([
      for e in concat(values(aws_vpc_endpoint.interface), [aws_vpc_endpoint.dynamodb, aws_vpc_endpoint.peer_dynamodb]) : e.service_name
      if try(jsondecode(e.policy).Statement[0].Condition.StringEquals["aws:ResourceAccount"], "") == "123456789012"
    ]) == toset([for s in ["dynamodb", "lambda", "secretsmanager", "sns"] : "com.amazonaws.us-east-1.${s}"])
    error_message = "Where a call can name a foreign resource, the endpoint must refuse it; where it can't, the condition would refuse every call."
  }

  assert {
    condition = (
      aws_vpc_endpoint.interface["rds"].security_group_ids == toset([aws_security_group.endpoints.id, aws_security_group.inter_region_api.id]) &&
      alltrue([for s, e in aws_vpc_endpoint.interface : e.security_group_ids == toset([aws_security_group.endpoints.id]) if s != "rds"])
    )
    error_message = "Of the interfaces of this Region's functions the peer Region reaches the one of the RDS API and no other."
  }

  # Rules open exactly what is needed.
  assert {
    condition = { for r in [
      aws_vpc_security_group_ingress_rule.database_from_functions,
      aws_vpc_security_group_ingress_rule.database_from_peer,
      aws_vpc_security_group_ingress_rule.endpoints_from_functions,
      aws_vpc_security_group_ingress_rule.apis_from_peer,
      ] : "${r.security_group_id} ${r.ip_protocol} ${r.from_port}-${r.to_port} ${coalesce(r.cidr_ipv4, r.referenced_security_group_id)}" => true } == {
      "${aws_security_group.database.id} tcp 3306-3306 ${aws_security_group.functions.id}" = true
      "${aws_security_group.inter_region.id} tcp 3306-3306 10.1.0.0/16"                    = true
      "${aws_security_group.endpoints.id} tcp 443-443 ${aws_security_group.functions.id}"  = true
      "${aws_security_group.inter_region_api.id} tcp 443-443 10.1.0.0/16"                  = true
    }
    error_message = "What comes in has changed."
  }

  assert {
    condition = { for r in [
      aws_vpc_security_group_egress_rule.functions_to_database,
      aws_vpc_security_group_egress_rule.functions_to_peer_database,
      aws_vpc_security_group_egress_rule.functions_to_endpoints,
      aws_vpc_security_group_egress_rule.functions_to_dynamodb,
      aws_vpc_security_group_egress_rule.functions_to_peer_apis,
      ] : "${r.security_group_id} ${r.ip_protocol} ${r.from_port}-${r.to_port} ${coalesce(r.cidr_ipv4, r.referenced_security_group_id, r.prefix_list_id)}" => true } == {
      "${aws_security_group.functions.id} tcp 3306-3306 ${aws_security_group.database.id}" = true
      "${aws_security_group.functions.id} tcp 3306-3306 10.1.0.0/16"                       = true
      "${aws_security_group.functions.id} tcp 443-443 ${aws_security_group.endpoints.id}"  = true
      "${aws_security_group.functions.id} tcp 443-443 pl-02cd2c6b"                         = true
      "${aws_security_group.functions.id} tcp 443-443 10.1.0.0/16"                         = true
    }
    error_message = "What goes out has changed."
  }

  assert {
    condition = alltrue([for d in [
      aws_security_group.database.description,
      aws_security_group.functions.description,
      aws_security_group.endpoints.description,
      aws_security_group.inter_region.description,
      aws_security_group.inter_region_api.description,
      aws_vpc_security_group_ingress_rule.database_from_functions.description,
      aws_vpc_security_group_ingress_rule.database_from_peer.description,
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.description,
      aws_vpc_security_group_ingress_rule.apis_from_peer.description,
      aws_vpc_security_group_egress_rule.functions_to_database.description,
      aws_vpc_security_group_egress_rule.functions_to_peer_database.description,
      aws_vpc_security_group_egress_rule.functions_to_endpoints.description,
      aws_vpc_security_group_egress_rule.functions_to_dynamodb.description,
      aws_vpc_security_group_egress_rule.functions_to_peer_apis.description,
      # AWS refuses anything else in a description.
    ] : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{1,255}$", d))])
    error_message = "Every group and rule says what it is for (CKV_AWS_23), in characters that AWS accepts."
  }

  # Outputs.
  assert {
    condition     = output.database_security_group_ids == [aws_security_group.database.id, aws_security_group.inter_region.id]
    error_message = "The inter-Region group must be attached to the database (CKV2_AWS_5)."
  }

  assert {
    condition     = output.rds_endpoint == { dns_name = "vpce-0a1b2c3d-x9y8z7.rds.us-east-1.vpce.amazonaws.com", hosted_zone_id = "Z7HUB22UULQXV" }
    error_message = "Of the endpoint's names the regional one is handed on, wherever in the list it stands."
  }

  assert {
    condition     = output.dynamodb_endpoint.dns_name == "vpce-0d1b2c3d-x9y8z7.dynamodb.us-east-1.vpce.amazonaws.com"
    error_message = "The endpoint of DynamoDB is named by what resolves to all zones: package boot takes no other name."
  }

  assert {
    condition     = length(output.subnet_ids) == 3 && length(output.route_table_ids) == 3 && output.vpc_cidr == "10.0.0.0/16" && length(output.functions_security_group_ids) == 1
    error_message = "Three subnets, three route tables, the range and one group for the functions are handed on."
  }

  # No name tells a role.
  assert {
    condition = !can(regex("(?i)primary|secondary|writer|reader|standby|master|slave", jsonencode([
      aws_vpc.this.tags, aws_subnet.private[*], aws_route_table.private[*], aws_default_security_group.this.tags,
      [for g in [aws_security_group.database, aws_security_group.functions, aws_security_group.endpoints, aws_security_group.inter_region, aws_security_group.inter_region_api] : [g.name, g.description, g.tags]],
      [for e in aws_vpc_endpoint.interface : e.tags], aws_vpc_endpoint.peer_dynamodb.tags, aws_cloudwatch_log_group.flow.name,
    ])))
    error_message = "One failover makes a name that tells a role a lie."
  }
}
