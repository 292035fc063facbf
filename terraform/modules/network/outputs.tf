output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "subnet_ids" {
  description = "Ids of the three private subnets, one per zone."
  value       = local.subnet_ids
}

output "route_table_ids" {
  description = "Ids of the three route tables, in the order of subnet_ids."
  value       = local.route_table_ids
}

output "database_security_group_ids" {
  description = "Security groups for the database cluster: one admits this Region's functions, the other the peer Region."
  value       = [aws_security_group.database.id, aws_security_group.inter_region.id]
}

output "functions_security_group_ids" {
  description = "Security groups for the Lambda functions."
  value       = [aws_security_group.functions.id]
}

output "rds_endpoint" {
  description = "DNS name and hosted zone of the interface endpoint of the RDS API, for the alias that the link unit makes in the other Region."
  value = {
    dns_name       = one(local.rds_endpoint_names[*].dns_name)
    hosted_zone_id = one(local.rds_endpoint_names[*].hosted_zone_id)
  }
}

output "dynamodb_endpoint" {
  description = "DNS name of the interface endpoint of DynamoDB, for the CNAME that the link unit makes in the other Region."
  value       = { dns_name = one(local.dynamodb_endpoint_names) }
}
