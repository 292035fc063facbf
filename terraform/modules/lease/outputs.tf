output "table_name" {
  description = "Name of the table, the same in every Region."
  value       = aws_dynamodb_table.lease.name
}

output "table_arns" {
  description = "ARN of the table's replica by member Region. The witness has none."
  value       = { for r in var.members : r => replace(aws_dynamodb_table.lease.arn, ":${var.home_region}:", ":${r}:") }
}
