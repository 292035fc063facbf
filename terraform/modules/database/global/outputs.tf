output "global_cluster_identifier" {
  description = "Identifier of the global cluster."
  value       = aws_rds_global_cluster.this.global_cluster_identifier
}

output "global_cluster_arn" {
  description = "ARN of the global cluster. Its Region field is empty."
  value       = aws_rds_global_cluster.this.arn
}

output "writer_endpoint" {
  description = "Aurora's global writer endpoint, which follows a managed failover or switchover: what applications connect to. It is there as soon as the global cluster is, and changes only with the global cluster's name."
  value       = aws_rds_global_cluster.this.endpoint
}

output "master_secret_arns" {
  description = "ARN of the master login by member Region: the secret in home_region, its copy in the other."

  # Only when the login is in the secret may a member be created from it.
  depends_on = [aws_secretsmanager_secret_version.login]

  value = {
    for r in var.members : r => replace(aws_secretsmanager_secret.login["admin"].arn, ":${var.home_region}:", ":${r}:")
  }
}

output "functions_secret_arns" {
  description = "ARN of the functions' login by member Region: the secret in home_region, its copy in the other."

  depends_on = [aws_secretsmanager_secret_version.login]

  value = {
    for r in var.members : r => replace(aws_secretsmanager_secret.login["functions"].arn, ":${var.home_region}:", ":${r}:")
  }
}
