output "cluster_identifier" {
  description = "Identifier of this Region's member."
  value       = aws_rds_cluster.this.cluster_identifier
}

output "cluster_arn" {
  description = "ARN of this Region's member."
  value       = aws_rds_cluster.this.arn
}

output "endpoint" {
  description = "Cluster endpoint in this Region. It accepts writes only while the writer is here; applications use the global writer endpoint."

  # RDS reports it only where the writer is (hashicorp/terraform-provider-aws#14219), so
  # aws_rds_cluster.endpoint would come and go with a failover, and every plan with it. It
  # is the reader endpoint's name without "-ro" (Aurora User Guide, disaster recovery).
  value = replace(aws_rds_cluster.this.reader_endpoint, ".cluster-ro-", ".cluster-")
}

output "reader_endpoint" {
  description = "Reader endpoint in this Region."
  value       = aws_rds_cluster.this.reader_endpoint
}

output "port" {
  description = "TCP port of all endpoints."
  value       = aws_rds_cluster.this.port
}

output "hosted_zone_id" {
  description = "Route 53 zone that the endpoints belong to, for alias records."
  value       = aws_rds_cluster.this.hosted_zone_id
}

output "instance_identifiers" {
  description = "Identifiers of the instances."
  value       = [for i in aws_rds_cluster_instance.this : i.identifier]
}
